/* death: SIGABRT "offset 0 of an object of type death" modes: release debug */
/* death: SIGABRT "names no object" modes: release debug */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", true);
  TN_ROOTS(death_m, r, kept);
  const tn_ref lost = death_new();
  r.kept = death_new();
  tn_gc_collect(death_m, TN_GC_FULL);
  TN_AT(struct death_node, r.kept)->next = lost;
  tn_gc_collect(death_m, TN_GC_FULL);
  return 0;
}
