/* heap_death.h -- a block that another thread has freed
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAP_DEATH_H
#define HEAP_DEATH_H

#include <stdlib.h>

#include <tenure/heap.h>

#include "os/os.h"

static void
death_free(void *block)
{
  tn_heap_free_any(block);
}

/* Of the default heap, 100 bytes. */
static inline void *
death_freed_elsewhere(void)
{
  void *const p = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tni_os_thread *thread;
  if (tni_os_thread_start(&thread, death_free, p, NULL) != TN_OK)
    exit(1);
  tni_os_thread_join(thread);
  return p;
}

#endif
