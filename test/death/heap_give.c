/* death: SIGABRT "[heap.size] free with a wrong size of" modes: debug harden */
#include <tenure/heap.h>

int
main(void)
{
  tn_heap_local *const here = tn_heap_here(tn_heap_default());
  void *const p = tn_heap_take(here, 100);
  tn_heap_give(here, p, 50);
  return 0;
}
