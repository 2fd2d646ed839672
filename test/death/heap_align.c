/* death: SIGABRT "[heap.align] alignment is not a power of two" modes: debug harden */
#include <tenure/heap.h>

int
main(void)
{
  (void)tn_heap_allocate(tn_heap_default(), 100, 24, 0);
  return 0;
}
