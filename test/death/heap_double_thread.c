/* death: SIGABRT "[heap.block] free of" modes: debug harden */
#include "death/heap_death.h"

int
main(void)
{
  tn_heap_free_any(death_freed_elsewhere());
  return 0;
}
