/* death: SIGABRT "[planned.pop] not a live block" modes: debug harden */
#include "planned_death.h"

int
main(void)
{
  static tn_planned p;
  death_begin(&p, 0);
  void *const block = tn_planned_push(&p, 8, 1);
  tn_planned_pop(&p, block);
  tn_planned_pop(&p, block);
}
