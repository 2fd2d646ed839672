#include "pool/pool.h"

#include "event/event.h"
#include "os/os.h"

/* Blocks carved at once: those of a page, so that the first use of a chunk
 * touches no more than it needs. */
#define POOL_CARVED TNI_KIB(4)
/* Smaller than this we do not go when nobody said how much. */
#define POOL_LEAST TNI_MIB(1)

bool
tni_pool_is_valid(const tn_pool *pool)
{
  return pool->stride >= pool->size && pool->fresh <= pool->end &&
         (size_t)(pool->end - pool->fresh) % pool->stride == 0 &&
         (pool->current != NULL) == (pool->end != NULL) &&
         pool->count <= pool->most;
}

/* ---- Chunks -------------------------------------------------------------- */

void
tni_pool_forbid(const tni_pool_chunk *chunk, unsigned char *from)
{
  if (TN_DEBUG >= 1)
    tni_annotate_take(from, chunk->size -
                                (size_t)(from - (const unsigned char *)chunk));
}

void
tni_pool_permit(const tni_pool_chunk *chunk)
{
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(chunk, chunk->size);
}

/* Hand out blocks of chunk from now on. */
static void
pool_begin_chunk(tn_pool *pool, tni_pool_chunk *chunk)
{
  chunk->next = pool->chunks;
  pool->chunks = pool->current = chunk;
  pool->fresh = chunk->first;
  pool->end = chunk->first + chunk->count * pool->stride;
}

/* How many blocks fit into size bytes with the chunk's head before them. */
static size_t
pool_fit(const tn_pool *pool, size_t size)
{
  return size < pool->head ? 0 : (size - pool->head) / pool->stride;
}

/* Make the memory of the region that is usable the blocks there are. */
static void
pool_fit_region(tn_pool *pool, tni_pool_chunk *chunk)
{
  chunk->size = tni_load_relaxed(&pool->region->usable);
  chunk->count = tni_min(pool_fit(pool, chunk->size), pool->most);
  pool->count = chunk->count;
  pool->end = chunk->first + chunk->count * pool->stride;
}

/* Room for at least one block more in the pool's own address space. */
static bool
pool_grow_region(tn_pool *pool)
{
  tni_region *const region = pool->region;
  size_t bytes;
  if (!tn_size_mul(pool->count + 1, pool->stride, &bytes) ||
      !tn_size_add(bytes, pool->head, &bytes) ||
      tni_region_ensure(region, bytes) != TN_OK)
    return false;
  tni_pool_chunk *const chunk = (tni_pool_chunk *)(void *)region->low;
  if (pool->current == NULL) {
    *chunk = (tni_pool_chunk){.pool = pool, .first = region->low + pool->head};
    pool_begin_chunk(pool, chunk);
  }
  const size_t before = pool->count;
  pool_fit_region(pool, chunk);
  tni_pool_forbid(chunk, chunk->first + before * pool->stride);
  return true;
}

/* A chunk of twice what there is, or as much of that as can be had. */
static bool
pool_grow_chunk(tn_pool *pool)
{
  const size_t first = tni_max(POOL_CARVED / pool->stride, 1);
  size_t count = TN_STRESS_TINY ? 1 : tni_max(pool->count, first);
  for (count = tni_min(count, pool->most - pool->count); count > 0;
       count /= 2) {
    size_t bytes;
    if (!tn_size_mul(count, pool->stride, &bytes) ||
        !tn_size_add(bytes, pool->head, &bytes))
      continue;
    const size_t align = tni_max(pool->align, _Alignof(tni_pool_chunk));
    const tn_block block = tn_allocate(pool->memory, bytes, align);
    if (block.pointer == NULL)
      continue;
    tni_pool_chunk *const chunk = block.pointer;
    count = tni_min(pool_fit(pool, block.granted), pool->most - pool->count);
    *chunk = (tni_pool_chunk){
        .pool = pool,
        .first = (unsigned char *)block.pointer + pool->head,
        .count = count,
        .size = block.granted,
    };
    pool->count += count;
    pool_begin_chunk(pool, chunk);
    tni_pool_forbid(chunk, chunk->first - tni_pool_prefix(pool));
    return true;
  }
  return false;
}

/* Fresh blocks; only when there are none. */
static bool
pool_grow(tn_pool *pool)
{
  tni_pool_chunk *const chunk = pool->spare;
  if (chunk != NULL) {
    pool->spare = chunk->next;
    pool_begin_chunk(pool, chunk);
    return true;
  }
  if (pool->count < pool->most &&
      (pool->region ? pool_grow_region(pool) : pool_grow_chunk(pool)))
    return true;
  tni_event_say(TN_EVENT_EXHAUSTED, "pool", pool, pool->end, pool->stride);
  return false;
}

/* ---- The slow half of allocate ------------------------------------------- */

/* The first fresh object of a cache, constructed; NULL when it refuses, and
 * the object stays fresh: [pool.cached], [pool.same]. */
static void *
pool_construct(tn_pool *pool)
{
  unsigned char *const object = pool->fresh;
  if (TN_DEBUG >= 1)
    tni_annotate_give(object, pool->size);
  if (!pool->ops->construct(object, pool->ops->argument)) {
    if (TN_DEBUG >= 1)
      tni_annotate_take(object, pool->size);
    return NULL;
  }
  pool->fresh += pool->stride;
  return object;
}

void *
tni_pool_refill(tn_pool *pool)
{
  TN_CHECK(tni_pool_is_valid(pool), "pool.order");
  if (pool->fresh == pool->end && !pool_grow(pool))
    return NULL;
  if (pool->ops)
    return pool_construct(pool);
  const size_t left = (size_t)(pool->end - pool->fresh) / pool->stride;
  const size_t most = TN_STRESS_TINY ? 1 : POOL_CARVED / pool->stride;
  const size_t count = tni_min(left, tni_max(most, 1));
  unsigned char *const block = pool->fresh;
  pool->fresh += count * pool->stride;
  /* From the last to the second, so that they come in ascending order. */
  void *next = NULL;
  for (unsigned char *p = pool->fresh - pool->stride; p != block;
       p -= pool->stride) {
    tni_pool_poke(p, next);
    if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
      tni_pool_retire(pool, p);
    next = p;
  }
  pool->free = next;
  return block;
}

/* ---- Life of a pool ------------------------------------------------------ */

/* The largest power of two that divides size, at most TN_ALIGN. */
static size_t
pool_natural_align(size_t size)
{
  return tni_min(size & -size, TN_ALIGN);
}

/* Stride and head; false when they overflow. */
static bool
pool_lay_out(tn_pool *pool)
{
  const size_t prefix = tni_pool_prefix(pool);
  const size_t least = TN_DEBUG >= 1 && !pool->ops ? 2 * POOL_WORD : POOL_WORD;
  const size_t align = tni_max(pool->align, POOL_WORD);
  size_t bytes;
  return tn_size_add(tni_max(pool->size, least), prefix, &bytes) &&
         tni_round_up_checked(bytes, align, &pool->stride) &&
         tni_round_up_checked(sizeof(tni_pool_chunk) + prefix, align,
                              &pool->head);
}

/* Address space for the blocks at most, or for as many as may be. */
static tn_status
pool_reserve(tn_pool *pool)
{
  const tni_os_config *const config = tni_os_get_config();
  const size_t budget = tni_os_budget();
  const bool is_given = pool->most != SIZE_MAX;
  size_t size = budget, least;
  if (!tn_size_add(pool->head, pool->stride, &least) || least > budget)
    return TN_ERANGE;
  least = tni_max(least, POOL_LEAST);
  if (is_given && (!tn_size_mul(pool->most, pool->stride, &size) ||
                   !tn_size_add(size, pool->head, &size)))
    return TN_ERANGE;
  /* A region's low end has the alignment of a page, or of a huge page. */
  if (pool->align > config->page_size)
    return TN_ERANGE;
  tn_status status;
  do {
    const tni_region_options how = {
        .size = size,
        .commit = TNI_COMMIT_ASK,
        .is_huge = config->huge_size != 0 && size >= 2 * config->huge_size,
        .ops = &tni_pool_owner_ops,
        .name = pool->name,
    };
    pool->region = tni_region_create(&how, &status);
    size /= 2;
  } while (pool->region == NULL && !is_given && size >= least);
  return pool->region ? TN_OK : status;
}

/* What pools and caches have in common. */
static tn_status
pool_create(tn_pool *pool, size_t size, const tn_pool_options *options,
            const tn_cache_ops *ops)
{
  static const tn_pool_options defaults;
  const tn_pool_options *const how = options ? options : &defaults;
  TNI_VM_REQUIRE(size > 0, "pool.size", "a pool of blocks of 0 bytes");
  TNI_VM_REQUIRE(how->align == 0 || tn_is_power_of_two(how->align),
                 "pool.align", "the alignment of blocks is no power of two");
  tn_pool made = {
      .memory = how->memory,
      .ops = ops,
      .size = size,
      .align = how->align ? how->align : pool_natural_align(size),
      .most = how->most ? how->most : SIZE_MAX,
      .name = how->name,
  };
  if (!pool_lay_out(&made))
    return TN_ERANGE;
  const tn_status status = how->memory ? TN_OK : pool_reserve(&made);
  if (status == TN_OK)
    *pool = made;
  return status;
}

tn_status
tn_pool_create(tn_pool *pool, size_t size, const tn_pool_options *options)
{
  return pool_create(pool, size, options, NULL);
}

tn_status
tn_cache_create(tn_cache *cache, size_t size, const tn_cache_ops *ops,
                const tn_pool_options *options)
{
  return pool_create(&cache->pool, size, options, ops);
}

void
tni_pool_release(const tn_pool *pool, tni_pool_chunk *chunk)
{
  tni_pool_permit(chunk);
  tn_release(pool->memory, chunk, chunk->size,
             tni_max(pool->align, _Alignof(tni_pool_chunk)));
}

static void
pool_release_list(const tn_pool *pool, tni_pool_chunk *chunk)
{
  while (chunk != NULL) {
    tni_pool_chunk *const next = chunk->next;
    tni_pool_release(pool, chunk);
    chunk = next;
  }
}

void
tn_pool_destroy(tn_pool *pool)
{
  TN_CHECK(tni_pool_is_valid(pool), "pool.order");
  for (tni_pool_chunk *c = pool->chunks; c != NULL; c = c->next)
    tni_pool_destruct(pool, c);
  if (pool->region) {
    if (pool->chunks)
      tni_pool_permit(pool->chunks);
    tni_region_destroy(pool->region);
  } else {
    pool_release_list(pool, pool->chunks);
    pool_release_list(pool, pool->spare);
  }
  *pool = (tn_pool){.size = 0};
}

void
tn_cache_destroy(tn_cache *cache)
{
  tn_pool_destroy(&cache->pool);
}

/* All objects of a cache are free, and as constructed as they are. */
static void
pool_free_objects(tn_pool *pool)
{
  pool->free = NULL;
  for (tni_pool_chunk *c = pool->chunks; c != NULL; c = c->next)
    for (size_t i = tni_pool_carved(pool, c); i-- > 0;) {
      unsigned char *const object = c->first + i * pool->stride;
      tni_pool_set_next(pool, object, pool->free);
      tni_pool_retire(pool, object);
      pool->free = object;
    }
}

void
tn_pool_free_all(tn_pool *pool)
{
  TN_CHECK(tni_pool_is_valid(pool), "pool.order");
  if (pool->current == NULL)
    return;
  if (TN_DEBUG >= 1)
    tni_event_say(TN_EVENT_RESET, "pool", pool, pool->fresh, 0);
  if (pool->ops) {
    pool_free_objects(pool);
    return;
  }
  pool->free = NULL;
  if (pool->region) {
    const size_t used = (size_t)(pool->fresh - pool->region->low);
    pool->fresh = pool->current->first;
    tni_pool_permit(pool->current);
    tni_region_reset(pool->region, used);
    pool_fit_region(pool, pool->current);
    tni_pool_forbid(pool->current, pool->current->first);
    return;
  }
  tni_pool_chunk **last = &pool->spare;
  while (*last != NULL)
    last = &(*last)->next;
  *last = pool->chunks;
  for (tni_pool_chunk *c = pool->chunks; c != NULL; c = c->next)
    tni_pool_forbid(c, c->first);
  pool->chunks = pool->current = NULL;
  pool->fresh = pool->end = NULL;
}
