/* death: SIGABRT "[heap.block] free of" modes: debug harden */
#include <tenure/heap.h>

int
main(void)
{
  char *const p = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tn_heap_free_any(p);
  void *others[3000];
  for (int i = 0; i < 3000; i++)
    others[i] = tn_heap_allocate(tn_heap_default(), 5000, 16, 0).pointer;
  tn_heap_free_batch(others, 3000);
  tn_heap_free_any(p);
  return 0;
}
