/* pool.h -- what the files of the pool layer share
 *
 * The public half is <tenure/pool.h>, where the hot paths are.  A chunk is one
 * block of a provider, or all of the pool's own address space, with this head:
 *
 *     | tni_pool_chunk | (link) | block 0 | (link) | block 1 | ...
 *
 * A cache keeps the link of a block before it; debug builds keep a mark before
 * that.  A plain pool has the link in the block's first word and, where there
 * is room, the mark in its second.
 *
 * The mark of a free block is its own address inverted.
 * Design    doc/design/pool.md      Tests  test/pool/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_POOL_H
#define TNI_POOL_H

#include <tenure/pool.h>

#include <string.h>

#include "base/base.h"
#include "vm/vm.h"

typedef struct tni_pool_chunk tni_pool_chunk;
struct tni_pool_chunk {
  const tn_pool *pool;   // const: for tn_describe
  tni_pool_chunk *next;  // owner
  unsigned char *first;  // const: block 0
  size_t count;          // owner: blocks that it has room for
  size_t size;           // owner: bytes from its head on
};

#define POOL_WORD sizeof(void *)

/* Bytes between the chunk's blocks that are not the blocks'. */
static inline size_t
tni_pool_prefix(const tn_pool *pool)
{
  if (pool->ops == NULL)
    return 0;
  return TN_DEBUG >= 1 ? 2 * POOL_WORD : POOL_WORD;
}

/* Read or write a word of a free block, which is forbidden memory in debug
 * builds. */
static inline void *
tni_pool_peek(const unsigned char *at)
{
  void *word;
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(at, POOL_WORD);
  memcpy(&word, at, POOL_WORD);
  if (TN_DEBUG >= 1)
    tni_annotate_take(at, POOL_WORD);
  return word;
}

static inline void
tni_pool_poke(unsigned char *at, const void *word)
{
  if (TN_DEBUG >= 1)
    tni_annotate_give(at, POOL_WORD);
  memcpy(at, &word, POOL_WORD);
  if (TN_DEBUG >= 1)
    tni_annotate_take(at, POOL_WORD);
}

/* The block freed before this one. */
static inline void *
tni_pool_get_next(const tn_pool *pool, const void *block)
{
  const unsigned char *const at = block;
  return tni_pool_peek(pool->ops ? at - POOL_WORD : at);
}

static inline void
tni_pool_set_next(const tn_pool *pool, void *block, const void *next)
{
  unsigned char *const at = block;
  tni_pool_poke(pool->ops ? at - POOL_WORD : at, next);
}

/* Blocks of a chunk that have been handed out at least once. */
static inline size_t
tni_pool_carved(const tn_pool *pool, const tni_pool_chunk *chunk)
{
  if (chunk != pool->current)
    return chunk->count;
  return (size_t)(pool->fresh - chunk->first) / pool->stride;
}

/* What debug builds do to a block that becomes free, or is carved: fill it,
 * mark it (hardened builds too), forbid it. */
void tni_pool_retire(const tn_pool *pool, void *block);

/* Give a chunk back to the provider. */
void tni_pool_release(const tn_pool *pool, tni_pool_chunk *chunk);

/* Forbid, or give back to whoever the memory is from, all of a chunk. */
void tni_pool_forbid(const tni_pool_chunk *chunk, unsigned char *from);
void tni_pool_permit(const tni_pool_chunk *chunk);

/* Destruct the carved objects of a chunk when it is a cache's. */
void tni_pool_destruct(const tn_pool *pool, const tni_pool_chunk *chunk);

/* Put the free list, and the chunks, into the order of addresses. */
void tni_pool_sort(tn_pool *pool);

/* The chunk that has p in its carved blocks, and whether p starts one. */
const tni_pool_chunk *tni_pool_find(const tn_pool *pool, const void *p,
                                    bool *is_start);

/* Whether block is in the free list: a walk. */
bool tni_pool_is_free(const tn_pool *pool, const void *block);

/* The head of what may be in a caller's hands: TN_CHECKs. */
bool tni_pool_is_valid(const tn_pool *pool);

extern const tni_owner_ops tni_pool_owner_ops;

#endif
