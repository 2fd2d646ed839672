/* pool.h -- many blocks of one size, each freed in any order
 *
 * A freed block holds the link to the one freed before it; there is no header.
 * Allocating pops, freeing pushes; the block freed last comes first.
 *
 *     chunk  | head | block | block | block | block | ... fresh ... |
 *                       ^ free -> next -> next      ^ fresh         ^ end
 *
 * Three more forms stand beside the plain pool: TN_POOL(T) knows its type, a
 * tn_cache keeps its objects constructed while they are free, handles.h names
 * blocks by 32-bit handles that notice when they are stale.  For threads:
 * shared.h.
 *
 * Invariants
 *   [pool.order]    each chunk's blocks lie at first + i * stride; those from
 *                   fresh on have never been handed out.
 *   [pool.list]     the free list holds carved blocks only, each once.
 *   [pool.same]     a failed call has changed nothing.
 *   [pool.freed]    nobody writes to a freed block (debug builds look).
 *   [pool.cached]   a cache constructs an object once and destructs it once.
 * Contracts (checked in debug and hardened builds)
 *   [pool.size]     a block has at least 1 byte.
 *   [pool.align]    an alignment is a power of two.
 *   [pool.foreign]  what is freed is the start of a block of this pool.
 *   [pool.twice]    what is freed is live.  Hardened builds see it in blocks
 *                   from 16 bytes on, debug builds always.
 * Threads   one owner at a time; no lock.
 * Failure   NULL or a status.  Of its own address space, memory is asked for
 *           before it is handed out: running out is a value.
 * Cost      allocate at most 6 instructions, free at most 6 (test_golden.py);
 *           a call when there is no free block: O(blocks of a page), sometimes
 *           a system call or a call of the provider.
 * Source    Knuth's available-space list; the slab cache of Bonwick (1994), of
 *           which the constructed state is kept, not the colouring.
 * Design    doc/design/pool.md      Tests  test/pool/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_POOL_H
#define TENURE_POOL_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

/* Debug and release objects do not link: see TNI_LIBRARY_KIND. */
static const char *const tni_pool_kind __attribute__((used)) =
    &TNI_LIBRARY_KIND;

typedef struct tn_pool {
  void *free;                      // owner: the block freed last, or NULL
  unsigned char *fresh;            // owner: first block never handed out
  unsigned char *end;              // owner: where those end
  struct tni_pool_chunk *chunks;   // owner: all that have been begun
  struct tni_pool_chunk *current;  // owner: the one that has fresh
  struct tni_pool_chunk *spare;    // owner: chunks without a block in use
  struct tni_region *region;       // const: NULL when there is a provider
  tn_provider *memory;             // const
  const struct tn_cache_ops *ops;  // const: NULL when it is not a cache
  size_t size;                     // const: bytes asked for a block
  size_t stride;                   // const: bytes from block to block
  size_t align;                    // const
  size_t head;                     // const: bytes before a chunk's first block
  size_t most;                     // const: blocks at most
  size_t count;                    // owner: blocks that chunks have room for
  const char *name;                // const
} tn_pool;

typedef struct tn_pool_options {
  const char *name;     // for messages; NULL for none
  tn_provider *memory;  // chunks come from here; NULL: address space of its own
  size_t align;         // of blocks; 0: what an object of that size can need,
                        // at most TN_ALIGN
  size_t most;          // blocks at most; 0: as many as there is memory for
} tn_pool_options;

/* Make a pool of blocks of size bytes.  The pool must not move while it lives.
 *
 *   size    bytes of a block, at least 1
 *   options NULL for all zero
 *   returns TN_OK; TN_ENOMEM no address space; TN_ERANGE sizes that overflow;
 *           TN_EINVAL a broken contract where checks are off
 *   threads any
 *   cost    a few system calls without a provider, none with one
 */
TN_API tn_status tn_pool_create(tn_pool *pool, size_t size,
                                const tn_pool_options *options);

/* Give all memory back, whatever is live.
 *
 *   threads the owner
 *   cost    O(chunks)
 */
TN_API void tn_pool_destroy(tn_pool *pool);

/* Make every block free at once.  Chunks stay for what comes; address space of
 * its own is given back beyond a decaying high-water mark.
 *
 *   threads the owner
 *   cost    O(chunks); of a cache O(objects)
 */
TN_API void tn_pool_free_all(tn_pool *pool);

/* Give memory back that holds no live block: whole chunks of a provider that
 * can free, the end of address space of its own.
 *
 *   returns bytes given back
 *   threads the owner
 *   cost    O(f log f) for f free blocks, and O(blocks)
 */
TN_API size_t tn_pool_trim(tn_pool *pool);

/* Call visit for each live block, in the order of addresses.  It may free the
 * block that it is given and do nothing else with this pool.
 *
 *   argument  handed to visit
 *   threads   the owner
 *   cost      O(f log f) for f free blocks, and O(blocks)
 */
TN_API void tn_pool_walk(tn_pool *pool,
                         void (*visit)(void *argument, void *block),
                         void *argument);

/* Whether p is the start of a block of this pool, live or free.
 *
 *   threads the owner
 *   cost    O(chunks), which double in size
 */
TN_API bool tn_pool_owns(const tn_pool *pool, const void *p);

typedef struct tn_pool_stats {
  size_t size;    // bytes asked for a block
  size_t stride;  // bytes that a block takes
  size_t live;    // blocks
  size_t free;    // blocks that have been carved and are free
  size_t count;   // blocks that there is memory for
  size_t chunks;
  size_t bytes;  // of memory held
} tn_pool_stats;

/* Numbers of now.
 *
 *   threads the owner
 *   cost    O(free blocks): the fast path counts nothing
 */
TN_API tn_pool_stats tn_pool_get_stats(const tn_pool *pool);

/* A pool as a provider: blocks of at most the pool's size and alignment, which
 * is TN_ALIGN at least or there are none. */
typedef struct tn_pool_provider {
  tn_provider provider;  // const
  tn_pool *pool;         // const
} tn_pool_provider;

/* Offer the pool as a provider.
 *
 *   returns a provider for as long as the pool lives
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_pool_provider tn_pool_provide(tn_pool *pool);

/* ---- Called by the inline functions only --------------------------------- */

/* No block is free: carve, or grow.  NULL when there is no memory. */
TN_API TN_COLD void *tni_pool_refill(tn_pool *pool);
/* The whole of it, for debug builds. */
TN_API void *tni_pool_alloc_debug(tn_pool *pool);
TN_API void tni_pool_free_debug(tn_pool *pool, void *block);
/* The contracts of a free, for hardened builds. */
TN_API void tni_pool_check_free(tn_pool *pool, void *block);

/* ---- The fast path ------------------------------------------------------- */

/* A block, its contents unspecified.
 *
 *   returns NULL when there is no memory; the pool is unchanged then
 *   threads the owner
 *   cost    at most 6 instructions when a block is free
 */
TN_INLINE TN_NODISCARD void *
tn_pool_alloc(tn_pool *pool)
{
  if (TN_DEBUG >= 1)
    return tni_pool_alloc_debug(pool);
  void *const block = pool->free;
  if (TN_UNLIKELY(block == NULL))
    return tni_pool_refill(pool);
  __builtin_memcpy(&pool->free, block, sizeof pool->free);
  if (TN_HARDEN >= 1 && pool->size >= 2 * sizeof(void *))
    __builtin_memset((unsigned char *)block + sizeof(void *), 0,
                     sizeof(void *));  // the mark of tni_pool_check_free
  return block;
}

/* Give a block back.
 *
 *   block   from tn_pool_alloc of this pool, live; not NULL
 *   threads the owner
 *   cost    at most 6 instructions
 */
TN_INLINE void
tn_pool_free(tn_pool *pool, void *block)
{
  if (TN_DEBUG >= 1) {
    tni_pool_free_debug(pool, block);
    return;
  }
  if (TN_HARDEN >= 1)
    tni_pool_check_free(pool, block);
  __builtin_memcpy(block, &pool->free, sizeof pool->free);
  pool->free = block;
}

/* ---- Pools that know their type ------------------------------------------ */

/* A pool of objects of type T:  typedef TN_POOL(particle) particles; */
#define TN_POOL(T)                                                             \
  union {                                                                      \
    tn_pool pool;                                                              \
    T *tni_type;                                                               \
  }

/* tn_pool_create for a TN_POOL; options->align is the least alignment.
 *
 *   returns as tn_pool_create
 */
#define tn_pool_create_typed(typed, options)                                   \
  tni_pool_create_typed(&(typed)->pool, sizeof *(typed)->tni_type,             \
                        __alignof__(*(typed)->tni_type), (options))

/* An object of a TN_POOL, uninitialised; NULL when there is no memory. */
#define tn_pool_new(typed)                                                     \
  ((__typeof__((typed)->tni_type))tn_pool_alloc(&(typed)->pool))

/* Free an object of a TN_POOL; a pointer of another type does not compile. */
#define tn_pool_drop(typed, object)                                            \
  tn_pool_free(&(typed)->pool, 1 ? (object) : (typed)->tni_type)

TN_INLINE tn_status
tni_pool_create_typed(tn_pool *pool, size_t size, size_t align,
                      const tn_pool_options *options)
{
  tn_pool_options how = {NULL, NULL, 0, 0};
  if (options != NULL)
    how = *options;
  how.align = how.align > align ? how.align : align;
  return tn_pool_create(pool, size, &how);
}

/* ---- Object caches ------------------------------------------------------- */

/* A pool whose objects stay constructed while they are free: construct runs
 * when an object is handed out for the first time, destruct when its memory is
 * given back.  Costs 8 bytes an object, in which the link is. */
typedef struct tn_cache {
  tn_pool pool;
} tn_cache;

typedef struct tn_cache_ops {
  bool (*construct)(void *object, void *argument);  // false: no memory
  void (*destruct)(void *object, void *argument);   // NULL: nothing to undo
  void *argument;                                   // handed to both
} tn_cache_ops;

/* Make a cache of objects of size bytes.
 *
 *   size    bytes of an object, at least 1
 *   ops     const, must outlive the cache
 *   options NULL for all zero
 *   returns as tn_pool_create
 *   threads any
 *   cost    as tn_pool_create
 */
TN_API tn_status tn_cache_create(tn_cache *cache, size_t size,
                                 const tn_cache_ops *ops,
                                 const tn_pool_options *options);

/* Destruct every object, live or free, and give all memory back.
 *
 *   threads the owner
 *   cost    O(objects)
 */
TN_API void tn_cache_destroy(tn_cache *cache);

/* A constructed object, as it was when it was freed.
 *
 *   returns NULL when there is no memory or construct says so
 *   threads the owner
 *   cost    at most 6 instructions when an object is free
 */
TN_INLINE TN_NODISCARD void *
tn_cache_alloc(tn_cache *cache)
{
  if (TN_DEBUG >= 1)
    return tni_pool_alloc_debug(&cache->pool);
  unsigned char *const object = (unsigned char *)cache->pool.free;
  if (TN_UNLIKELY(object == NULL))
    return tni_pool_refill(&cache->pool);
  __builtin_memcpy(&cache->pool.free, object - sizeof(void *), sizeof(void *));
  return object;
}

/* Give an object back in its constructed state.
 *
 *   object  from tn_cache_alloc of this cache, live; not NULL
 *   threads the owner
 *   cost    at most 6 instructions
 */
TN_INLINE void
tn_cache_free(tn_cache *cache, void *object)
{
  if (TN_DEBUG >= 1) {
    tni_pool_free_debug(&cache->pool, object);
    return;
  }
  if (TN_HARDEN >= 1)
    tni_pool_check_free(&cache->pool, object);
  __builtin_memcpy((unsigned char *)object - sizeof(void *), &cache->pool.free,
                   sizeof(void *));
  cache->pool.free = object;
}

TN_END_DECLS
#endif
