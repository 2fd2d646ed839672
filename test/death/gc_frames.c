/* death: SIGABRT "[gc.frames] a mutator is detached inside its roots" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  TN_ROOTS(death_m, r, kept);
  r.kept = death_new();
  tn_gc_detach(death_m);
  return 0;
}
