/* death: SIGABRT "[heap.block] a block was freed twice" modes: release */
#include <tenure/heap.h>

int
main(void)
{
  char *const p = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tn_heap_free_any(p);
  tn_heap_free_any(p);
  (void)tn_purge_all();
  return 0;
}
