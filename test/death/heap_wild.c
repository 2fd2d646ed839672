/* death: SIGABRT "[heap.pointer] free of" modes: release debug harden */
#include <tenure/heap.h>

int
main(void)
{
  tn_heap_free_any((void *)(uintptr_t)0x123456789a0);
  return 0;
}
