/* death: SIGABRT "[heap.owner] free to another heap of" modes: debug harden */
#include <tenure/heap.h>

int
main(void)
{
  char *const p = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tn_heap_free(tn_heap_create(NULL, NULL), p, 100, 16);
  return 0;
}
