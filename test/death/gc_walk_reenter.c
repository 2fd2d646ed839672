/* death: SIGABRT "[gc.reenter] a heap is used inside one of its own calls" modes: debug harden */
#include "death/gc_death.h"

static bool
look(void *argument, tn_ref object)
{
  tn_gc_stats stats;
  (void)object;
  tn_gc_get_stats(argument, &stats);
  return true;
}

int
main(void)
{
  death_begin("immix", false);
  (void)death_new();
  tn_gc_walk(death_m, look, death_heap);
  return 0;
}
