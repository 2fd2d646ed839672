/* death: SIGABRT "[heap.block] a block was freed twice" modes: release */
#include <tenure/heap.h>

/* Neighbours that are freed in their order go home together; one of them twice,
 * long after the first time. */
int
main(void)
{
  enum { BLOCKS = 600 };
  char *p[BLOCKS];
  tn_heap *const heap = tn_heap_default();
  for (int i = 0; i < BLOCKS; i++)
    p[i] = tn_heap_allocate(heap, 100, 16, 0).pointer;
  for (int i = 1; i < BLOCKS; i++)
    tn_heap_free_any(p[i]);
  for (int i = 8; i < 24; i++)
    tn_heap_free_any(p[i]);
  (void)tn_purge_all();
  return 0;
}
