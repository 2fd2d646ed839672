/* work.c -- the code of work.h */
#include "gc/core/work.h"

#include <string.h>

#include "gc/core/blocks.h"
#include "os/os.h"

tn_status
tni_pool_init(tni_pool *pool, size_t most_bytes)
{
  tn_status status = TN_OK;
  const tni_region_options options = {
      .size = tni_max(most_bytes, TNI_MIB(1)),
      .guard = TN_VM_GRAIN,
      .commit = TNI_COMMIT_ASK,
      .ops = &tni_gc_owner,
  };
  pool->region = tni_region_create(&options, &status);
  pool->most = SIZE_MAX;
  return status;
}

void
tni_pool_fini(tni_pool *pool)
{
  if (pool->region)
    tni_region_destroy(pool->region);
  pool->region = NULL;
}

/* An empty chunk; NULL when the system refuses. */
static tni_chunk *
work_take_chunk(tni_pool *pool)
{
  tni_chunk *chunk = NULL;
  tni_os_lock_acquire(&pool->lock);
  if (pool->in_use < pool->most) {
    chunk = pool->free;
    if (chunk) {
      pool->free = chunk->next;
    } else if (tni_region_ensure(pool->region, pool->used + sizeof *chunk) ==
               TN_OK) {
      chunk = (tni_chunk *)(void *)(pool->region->low + pool->used);
      pool->used += sizeof *chunk;
    }
    pool->in_use += chunk != NULL;
  }
  tni_os_lock_release(&pool->lock);
  if (chunk) {
    chunk->next = NULL;
    chunk->count = 0;
  }
  return chunk;
}

static void
work_give_chunk(tni_pool *pool, tni_chunk *chunk)
{
  tni_os_lock_acquire(&pool->lock);
  chunk->next = pool->free;
  pool->free = chunk;
  pool->in_use--;
  tni_os_lock_release(&pool->lock);
}

void
tni_work_init(tni_work *work, tni_pool *pool)
{
  *work = (tni_work){.pool = pool};
}

void
tni_work_fini(tni_work *work)
{
  TN_CHECK(!work->full && (!work->chunk || work->chunk->count == 0),
           "work.once");
  if (work->chunk)
    work_give_chunk(work->pool, work->chunk);
  work->chunk = NULL;
}

static void
work_publish(tni_pool *pool, tni_chunk *chunk)
{
  tni_os_lock_acquire(&pool->lock);
  chunk->next = pool->full;
  pool->full = chunk;
  tni_os_lock_release(&pool->lock);
  tni_os_wake(&pool->waiting, false);
}

void
tni_work_share(tni_work *work)
{
  tni_chunk *const chunk = work->full;
  if (!chunk)
    return;
  work->full = chunk->next;
  work_publish(work->pool, chunk);
}

void
tni_work_publish_all(tni_work *work)
{
  while (work->full)
    tni_work_share(work);
  if (!work->chunk || work->chunk->count == 0)
    return;
  work_publish(work->pool, work->chunk);
  work->chunk = NULL;
}

void
tni_work_donate(tni_work *work)
{
  if (tni_load_relaxed(&work->pool->waiting) == 0)
    return;
  tni_chunk *const chunk = work->chunk;
  if (work->full || !chunk || chunk->count < 2) {
    tni_work_share(work);
    return;
  }
  tni_chunk *const gift = work_take_chunk(work->pool);
  if (!gift)
    return;
  const size_t half = chunk->count / 2;
  memcpy(gift->item, chunk->item, half * sizeof gift->item[0]);
  memmove(chunk->item, chunk->item + half,
          (chunk->count - half) * sizeof chunk->item[0]);
  gift->count = half;
  chunk->count -= half;
  work_publish(work->pool, gift);
}

bool
tni_work_idle(tni_work *work, unsigned workers)
{
  tni_pool *const pool = work->pool;
  (void)tni_add_acq_rel(&pool->waiting, 1);
  tni_os_wake(&pool->waiting, true);
  for (;;) {
    tni_os_lock_acquire(&pool->lock);
    const bool has_work = pool->full != NULL;
    if (has_work)
      (void)tni_sub_acq_rel(&pool->waiting, 1);
    tni_os_lock_release(&pool->lock);
    if (has_work)
      return true;
    const uint32_t waiting = tni_load_acquire(&pool->waiting);
    if (waiting >= workers)
      return false;
    tni_os_wait(&pool->waiting, waiting);
  }
}

void
tni_work_push_slow(tni_work *work, void *item)
{
  tni_chunk *const chunk = work_take_chunk(work->pool);
  if (!chunk) {  // [work.once]
    tni_store_relaxed(&work->pool->overflow, 1);
    return;
  }
  if (work->chunk) {
    work->chunk->next = work->full;
    work->full = work->chunk;
    if (tni_load_relaxed(&work->pool->waiting) != 0)
      tni_work_share(work);
  }
  work->chunk = chunk;
  chunk->item[chunk->count++] = item;
}

bool
tni_work_refill(tni_work *work)
{
  tni_pool *const pool = work->pool;
  tni_chunk *chunk = work->full;
  if (chunk) {
    work->full = chunk->next;
  } else {
    tni_os_lock_acquire(&pool->lock);
    chunk = pool->full;
    if (chunk)
      pool->full = chunk->next;
    tni_os_lock_release(&pool->lock);
  }
  if (!chunk)
    return false;
  if (work->chunk)
    work_give_chunk(pool, work->chunk);
  chunk->next = NULL;
  work->chunk = chunk;
  return true;
}
