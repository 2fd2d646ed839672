/* death: SIGABRT "[heap.block] a freed block was written to" modes: release */
/* death: SIGABRT "[heap.block]" modes: harden debug */
#include <tenure/heap.h>

#include <string.h>

#include "os/os.h"

static void
free_it(void *block)
{
  tn_heap_free_batch(&block, 1);
}

/* The link in a block that another thread freed is not believed. */
int
main(void)
{
  void *const p = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tni_os_thread *thread;
  if (tni_os_thread_start(&thread, free_it, p, NULL) != TN_OK)
    return 1;
  tni_os_thread_join(thread);
  memset(p, 0x5a, 16);
  tn_idle();
  return 0;
}
