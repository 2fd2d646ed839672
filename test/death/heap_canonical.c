/* death: SIGABRT "[heap.pointer] free of 0xdead00000000dead, which is" modes: release debug harden */
#include <tenure/heap.h>

int
main(void)
{
  tn_heap_free_any((void *)(uintptr_t)0xdead00000000dead);
  return 0;
}
