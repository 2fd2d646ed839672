/* death: SIGABRT "[heap.block] a freed block was written to" modes: release debug harden */
#include <string.h>

#include "death/heap_death.h"

/* The link in a block that another thread freed is not believed. */
int
main(void)
{
  memset(death_freed_elsewhere(), 0x5a, 16);
  tn_idle();
  return 0;
}
