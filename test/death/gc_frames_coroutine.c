/* death: SIGABRT "[gc.frames] a mutator is detached inside its roots" modes: debug harden */
#include "death/gc_death.h"

static char stack[4096];

/* The roots are on the thread's own stack, which is suspended. */
int
main(void)
{
  death_begin("semi", false);
  TN_ROOTS(death_m, r, kept);
  r.kept = death_new();
  tn_coroutine *const other =
      tn_gc_coroutine(death_heap, stack, stack + sizeof stack);
  tn_gc_switch(death_m, NULL, other);
  tn_gc_detach(death_m);
  return 0;
}
