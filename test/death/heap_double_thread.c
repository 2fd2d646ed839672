/* death: SIGABRT "[heap.block] free of" modes: debug harden */
#include <tenure/heap.h>

#include "os/os.h"

static void
free_it(void *block)
{
  tn_heap_free_any(block);
}

int
main(void)
{
  void *const p = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tni_os_thread *thread;
  if (tni_os_thread_start(&thread, free_it, p, NULL) != TN_OK)
    return 1;
  tni_os_thread_join(thread);
  tn_heap_free_any(p);
  return 0;
}
