/* death: SIGABRT "stack of thread 1, frame of" modes: release debug harden */
#include <tenure/heap.h>

int
main(void)
{
  int local = 0;
  tn_heap_free_any(&local);  // [heap.pointer]
  return 0;
}
