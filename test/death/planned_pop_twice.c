/* death: SIGABRT "[planned.pop] not a live block" modes: debug harden */
#include "planned_death.h"

int
main(void)
{
  static tn_planned p;
  for (int phase = 0; phase < 2; phase++) {
    death_begin(&p, phase);
    void *const block = tn_planned_push(&p, 8, 1);
    tn_planned_pop(&p, block);
    if (phase)
      tn_planned_pop(&p, block);
    tn_planned_end(&p);
  }
}
