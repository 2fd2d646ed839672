/* death: SIGABRT "[gc.finalizer] a finalizer asks for a collection" modes: debug harden */
#include "death/gc_death.h"

static int
collect(void *key)
{
  (void)key;
  tn_gc_collect(death_m, TN_GC_FULL);
  return 0;
}

int
main(void)
{
  death_begin("semi", false);
  (void)tn_gc_finalizer(death_m, death_new(), collect, NULL);
  tn_gc_collect(death_m, TN_GC_FULL);
  (void)tn_gc_finalize(death_m, 1, NULL);
  return 0;
}
