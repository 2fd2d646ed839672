/* death: SIGABRT "[planned.phase] a push outside of a phase" modes: debug harden */
#include "planned_death.h"

int
main(void)
{
  static tn_planned p;
  death_begin(&p, 0);
  tn_planned_end(&p);
  tn_planned_push(&p, 8, 1);
}
