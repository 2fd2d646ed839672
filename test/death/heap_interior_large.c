/* death: SIGABRT "[heap.block] free of" modes: release debug harden */
#include <tenure/heap.h>

int
main(void)
{
  char *const p = tn_heap_allocate(tn_heap_default(), 1000000, 16, 0).pointer;
  tn_heap_free_any(p + 500000);
  return 0;
}
