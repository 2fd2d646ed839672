/* work.h -- lists of objects whose fields are still to be read
 *
 * A worker pushes and pops at the end of a chunk of its own; full chunks go on
 * a list, from which any worker takes.  Chunks come from one reservation a
 * heap, grown when all are in use; when the system refuses, the object is
 * dropped, the pool notes it, and marking ends with a walk over what is marked.
 *
 * Invariants
 *   [work.once]  what is pushed is popped once, by one worker, or the overflow
 *                is noted.
 * Threads   a tni_work has one owner; the pool has a lock.
 * Design    doc/design/gc.md      Tests  test/gc/test_work.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_WORK_H
#define TNI_GC_WORK_H

#include "base/base.h"
#include "os/os.h"
#include "vm/vm.h"

#define TNI_CHUNK_ITEMS 510u

typedef struct tni_chunk {
  struct tni_chunk *next;  // lock: pool
  size_t count;
  void *item[TNI_CHUNK_ITEMS];
} tni_chunk;
_Static_assert(sizeof(void *) != 8 || sizeof(tni_chunk) == 4096, "a page");

typedef struct tni_pool {
  tni_region *region;  // const
  tni_os_lock lock;
  tni_chunk *free;            // lock
  tni_chunk *full;            // lock: work for anyone
  size_t used;                // lock: bytes of the region ever used
  size_t most;                // const: chunks in use at most; for stress
  size_t in_use;              // lock
  _Atomic uint32_t waiting;   // atomic: workers that have none
  _Atomic uint32_t overflow;  // atomic: something was dropped
} tni_pool;

typedef struct tni_work {
  tni_pool *pool;    // const
  tni_chunk *chunk;  // owner: never NULL between init and fini when it has room
  tni_chunk *full;   // owner: its own full chunks
} tni_work;

tn_status tni_pool_init(tni_pool *pool, size_t most_bytes);
void tni_pool_fini(tni_pool *pool);
void tni_work_init(tni_work *work, tni_pool *pool);
void tni_work_fini(tni_work *work);
/* Give a full chunk of this worker to whoever waits. */
void tni_work_share(tni_work *work);
/* All that this worker has, for anyone. */
void tni_work_publish_all(tni_work *work);
/* When workers wait: give them the older half of what this one has. */
void tni_work_donate(tni_work *work);
/* This worker has nothing: wait for work.  False: none of the workers has
 * any. */
bool tni_work_idle(tni_work *work, unsigned workers);
TN_COLD void tni_work_push_slow(tni_work *work, void *item);
/* Another chunk with work in it; false: there is none, here and in the pool. */
TN_COLD bool tni_work_refill(tni_work *work);

static inline void
tni_work_push(tni_work *work, void *item)
{
  tni_chunk *const chunk = work->chunk;
  if (TN_LIKELY(chunk && chunk->count < TNI_CHUNK_ITEMS))
    chunk->item[chunk->count++] = item;
  else
    tni_work_push_slow(work, item);
}

/* The next object; NULL when this worker and the pool have none. */
static inline void *
tni_work_pop(tni_work *work)
{
  if (TN_UNLIKELY(!work->chunk || work->chunk->count == 0) &&
      !tni_work_refill(work))
    return NULL;
  return work->chunk->item[--work->chunk->count];
}

#endif
