/* death: SIGABRT "[heap.pointer] free of" modes: release debug harden */
#include <tenure/heap.h>

int
main(void)
{
  static int counter;
  tn_heap_free_any(&counter);
  return 0;
}
