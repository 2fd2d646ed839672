/* death: SIGABRT "[gc.coroutine] a switch from a stack that is not known" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  tn_coroutine *const none = tn_gc_coroutine(death_heap, NULL, NULL);
  tn_gc_switch(death_m, none, NULL);
  return 0;
}
