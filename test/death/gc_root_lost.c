/* death: SIGABRT "[gc.root] a write of what is no object: was it in a root?" modes: debug */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("none", true);
  const tn_ref a = death_new();
  const tn_ref wrong = {(char *)a.at + 8};
  tn_gc_write(death_m, a, &TN_AT(struct death_node, a)->next, wrong);
  return 0;
}
