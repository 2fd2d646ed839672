/* death: SIGABRT "[gc.attached]" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  tn_gc_destroy(death_heap);
  return 0;
}
