/* death: SIGABRT "offset 0 of an object of type death" modes: release debug */
/* death: SIGABRT "was written without tn_gc_write" modes: release debug */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("gen", true);
  TN_ROOTS(death_m, r, old);
  r.old = death_new();
  tn_gc_collect(death_m, TN_GC_MINOR);
  const tn_ref young = death_new();
  TN_AT(struct death_node, r.old)->next = young;
  tn_gc_collect(death_m, TN_GC_MINOR);
  return 0;
}
