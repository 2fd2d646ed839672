/* death: SIGABRT "[gc.root] a write to what is no object: was it in a root?" modes: debug */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", true);
  const tn_ref a = death_new();
  TN_ROOTS(death_m, r, a);
  r.a = a;
  tn_gc_collect(death_m, TN_GC_FULL);
  tn_gc_write(death_m, a, &TN_AT(struct death_node, a)->next, r.a);
  return 0;
}
