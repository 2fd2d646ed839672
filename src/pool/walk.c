#include "event/event.h"
#include "pool/pool.h"

/* ---- Order --------------------------------------------------------------- */

/* Merge two sorted lists; each may be NULL. */
static void *
pool_merge(const tn_pool *pool, void *a, void *b)
{
  void *first = NULL, *last = NULL;
  while (a != NULL || b != NULL) {
    void **const from =
        b == NULL || (a != NULL && tni_address(a) < tni_address(b)) ? &a : &b;
    void *const block = *from;
    *from = tni_pool_get_next(pool, block);
    if (last != NULL)
      tni_pool_set_next(pool, last, block);
    else
      first = block;
    last = block;
  }
  return first;
}

/* Sort a list by address, in place: run i of the runs has 2^i blocks. */
static void *
pool_sort_list(const tn_pool *pool, void *list)
{
  void *runs[sizeof(size_t) * CHAR_BIT] = {NULL};
  size_t used = 0;
  while (list != NULL) {
    void *run = list;
    list = tni_pool_get_next(pool, run);
    tni_pool_set_next(pool, run, NULL);
    size_t i = 0;
    for (; i < used && runs[i] != NULL; i++) {
      run = pool_merge(pool, runs[i], run);
      runs[i] = NULL;
    }
    runs[i] = run;
    used = tni_max(used, i + 1);
  }
  void *sorted = NULL;
  for (size_t i = 0; i < used; i++)
    sorted = pool_merge(pool, runs[i], sorted);
  return sorted;
}

void
tni_pool_sort(tn_pool *pool)
{
  pool->free = pool_sort_list(pool, pool->free);
  /* Chunks double in size: there are few. */
  tni_pool_chunk *sorted = NULL;
  for (tni_pool_chunk *chunk = pool->chunks, *next; chunk; chunk = next) {
    next = chunk->next;
    tni_pool_chunk **at = &sorted;
    while (*at != NULL && tni_address(*at) < tni_address(chunk))
      at = &(*at)->next;
    chunk->next = *at;
    *at = chunk;
  }
  pool->chunks = sorted;
}

void
tn_pool_walk(tn_pool *pool, void (*visit)(void *argument, void *block),
             void *argument)
{
  tni_pool_sort(pool);
  void *next_free = pool->free;
  for (const tni_pool_chunk *c = pool->chunks; c != NULL; c = c->next) {
    const size_t carved = tni_pool_carved(pool, c);
    for (size_t i = 0; i < carved; i++) {
      unsigned char *const block = c->first + i * pool->stride;
      if (block == next_free)
        next_free = tni_pool_get_next(pool, block);
      else
        visit(argument, block);
    }
  }
  TN_CHECK(next_free == NULL, "pool.list");
}

/* ---- Giving back --------------------------------------------------------- */

void
tni_pool_destruct(const tn_pool *pool, const tni_pool_chunk *chunk)
{
  if (pool->ops == NULL)
    return;
  const size_t carved = tni_pool_carved(pool, chunk);
  for (size_t i = 0; i < carved; i++) {
    unsigned char *const object = chunk->first + i * pool->stride;
    if (TN_DEBUG >= 1)
      tni_annotate_give_defined(object, pool->size);
    if (pool->ops->destruct)
      pool->ops->destruct(object, pool->ops->argument);
  }
}

/* In a sorted list: the first block that is not in chunk, and how many are
 * before it. */
static void *
pool_skip(const tn_pool *pool, const tni_pool_chunk *chunk, void *block,
          size_t *count)
{
  const size_t size = chunk->count * pool->stride;
  for (*count = 0;
       block != NULL && tni_address(block) - tni_address(chunk->first) < size;
       (*count)++)
    block = tni_pool_get_next(pool, block);
  return block;
}

/* Release the chunks whose carved blocks are all free, but not the one that
 * blocks are being carved from. */
static size_t
pool_trim_chunks(tn_pool *pool)
{
  size_t bytes = 0;
  void *rest = pool->free, *last = NULL;
  for (tni_pool_chunk **at = &pool->chunks; *at != NULL;) {
    tni_pool_chunk *const chunk = *at;
    size_t count;
    void *const after = pool_skip(pool, chunk, rest, &count);
    if (chunk == pool->current || count < chunk->count) {
      for (; rest != after; rest = tni_pool_get_next(pool, rest))
        last = rest;
      at = &chunk->next;
      continue;
    }
    if (last != NULL)
      tni_pool_set_next(pool, last, after);
    else
      pool->free = after;
    rest = after;
    tni_pool_destruct(pool, chunk);
    *at = chunk->next;
    pool->count -= chunk->count;
    bytes += chunk->size;
    tni_pool_release(pool, chunk);
  }
  for (tni_pool_chunk *chunk = pool->spare, *next; chunk; chunk = next) {
    next = chunk->next;
    pool->count -= chunk->count;
    bytes += chunk->size;
    tni_pool_release(pool, chunk);
  }
  pool->spare = NULL;
  return bytes;
}

/* The block after the last live one: the list is cut before what follows. */
static unsigned char *
pool_cut_end(tn_pool *pool)
{
  unsigned char *end = pool->current->first;
  void *before = NULL, *run = NULL;  // the list's last run without a gap
  for (void *p = pool->free, *last = NULL; p != NULL;
       last = p, p = tni_pool_get_next(pool, p)) {
    if (p != end || run == NULL) {
      run = p;
      before = last;
    }
    end = (unsigned char *)p + pool->stride;
  }
  if (run == NULL || end != pool->fresh)
    return pool->fresh;  // the last block is live, or there is none
  if (before != NULL)
    tni_pool_set_next(pool, before, NULL);
  else
    pool->free = NULL;
  return run;
}

/* Give back what lies beyond the last live block. */
static size_t
pool_trim_region(tn_pool *pool)
{
  if (pool->current == NULL)
    return 0;
  unsigned char *const end = pool_cut_end(pool);
  if (pool->ops && pool->ops->destruct)
    for (unsigned char *p = end; p < pool->fresh; p += pool->stride) {
      if (TN_DEBUG >= 1)
        tni_annotate_give_defined(p, pool->size);
      pool->ops->destruct(p, pool->ops->argument);
    }
  const size_t before = tni_load_relaxed(&pool->region->usable);
  tni_pool_chunk *const chunk = pool->current;
  pool->fresh = end;
  if (TN_DEBUG >= 1)
    tni_annotate_give(end, chunk->size - (size_t)(end - pool->region->low));
  (void)tni_region_shrink(pool->region, (size_t)(end - pool->region->low));
  chunk->size = tni_load_relaxed(&pool->region->usable);
  const size_t count = (chunk->size - pool->head) / pool->stride;
  pool->count = chunk->count = tni_min(count, pool->most);
  pool->end = chunk->first + chunk->count * pool->stride;
  tni_pool_forbid(chunk, end);
  return before - chunk->size;
}

size_t
tn_pool_trim(tn_pool *pool)
{
  TN_CHECK(tni_pool_is_valid(pool), "pool.order");
  tni_pool_sort(pool);
  if (pool->region)
    return pool_trim_region(pool);
  if (!(pool->memory->capabilities & TN_PROVIDER_FREE))
    return 0;
  return pool_trim_chunks(pool);
}

/* ---- Questions ----------------------------------------------------------- */

const tni_pool_chunk *
tni_pool_find(const tn_pool *pool, const void *p, bool *is_start)
{
  for (const tni_pool_chunk *c = pool->chunks; c != NULL; c = c->next) {
    const size_t offset = tni_address(p) - tni_address(c->first);
    if (offset < tni_pool_carved(pool, c) * pool->stride) {
      *is_start = offset % pool->stride == 0;
      return c;
    }
  }
  *is_start = false;
  return NULL;
}

bool
tn_pool_owns(const tn_pool *pool, const void *p)
{
  bool is_start;
  (void)tni_pool_find(pool, p, &is_start);
  return is_start;
}

bool
tni_pool_is_free(const tn_pool *pool, const void *block)
{
  for (const void *p = pool->free; p != NULL; p = tni_pool_get_next(pool, p)) {
    if (p == block)
      return true;
  }
  return false;
}

tn_pool_stats
tn_pool_get_stats(const tn_pool *pool)
{
  tn_pool_stats stats = {
      .size = pool->size, .stride = pool->stride, .count = pool->count};
  for (const void *p = pool->free; p != NULL; p = tni_pool_get_next(pool, p))
    stats.free++;
  size_t carved = 0;
  for (const tni_pool_chunk *c = pool->chunks; c != NULL; c = c->next) {
    carved += tni_pool_carved(pool, c);
    stats.bytes += c->size;
    stats.chunks++;
  }
  for (const tni_pool_chunk *c = pool->spare; c != NULL; c = c->next) {
    stats.bytes += c->size;
    stats.chunks++;
  }
  TN_CHECK(stats.free <= carved, "pool.list");
  stats.live = carved - stats.free;
  return stats;
}

/* Whether block is in the free list, for readers that nobody keeps from racing
 * with the owner: a link that leads elsewhere ends the walk. */
static bool
pool_seems_free(const tn_pool *pool, const tni_pool_chunk *chunk,
                const void *block)
{
  const size_t carved = tni_pool_carved(pool, chunk);
  const void *p = pool->free;
  for (size_t i = 0; i < carved && p != block; i++) {
    const size_t offset = tni_address(p) - tni_address(chunk->first);
    if (offset >= carved * pool->stride || offset % pool->stride != 0)
      return false;
    p = tni_pool_get_next(pool, p);
  }
  return p == block;
}

static tni_block_info
pool_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  if (usable == 0)
    return (tni_block_info){region->low, 0, false, false};
  const tni_pool_chunk *const chunk = (const void *)region->low;
  const tn_pool *const pool = chunk->pool;
  const size_t offset = tni_address(p) - tni_address(chunk->first);
  if (offset >= tni_pool_carved(pool, chunk) * pool->stride)
    return (tni_block_info){region->low, usable, false, false};
  const unsigned char *const block =
      chunk->first + offset / pool->stride * pool->stride;
  return (tni_block_info){block, pool->size, true,
                          !pool_seems_free(pool, chunk, block)};
}

const tni_owner_ops tni_pool_owner_ops = {"pool", pool_find_block};
