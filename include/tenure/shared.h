/* shared.h -- a pool of fixed-size blocks that any thread may use, lock-free
 *
 * Free blocks are in stacks, one a shard; a thread pops from and pushes to the
 * shard that is its own, and takes from the others' when that is empty.  The
 * links are beside the blocks, four bytes each, so that a thread that looks at
 * a link never reads what another writes to its block.
 *
 *     shard 0: | tag | top | -> 17 -> 4 -> 9        links  | . | . | 9 | ...
 *     shard 1: | tag | top | -> 2                   blocks | 0 | 1 | 2 | ...
 *
 * Invariants
 *   [shared.live]   a block is handed out to one caller until it is freed.
 *   [shared.order]  what was stored into a block before it was freed happens
 *                   before what its next owner does.
 *   [shared.aba]    a pop that was overtaken fails: each pop changes the tag,
 *                   which takes 64 bits less the index's (at least 2^32 pops on
 *                   one shard, while one thread stands still between two
 *                   instructions, to come round; 2^43 by default).
 *   [shared.full]   NULL means that at one moment of the call every block was
 *                   live, or in the hands of a call that had not returned.
 * Contracts
 *   [shared.size]     a block has at least 1 byte.
 *   [shared.align]    an alignment is a power of two.
 *   [shared.foreign]  what is freed is the start of a block of this pool.
 *   [shared.twice]    what is freed is live.
 * Threads   alloc and free: any, at any time, also while another is stopped
 *           in the middle of one (lock-free); growing its own address space
 *           takes a lock.  create and destroy: one.
 * Failure   NULL or a status; nothing has changed.
 * Cost      a call and one compare-and-swap, when nobody is in the way; O(shards)
 *           when its own shard is empty.
 * Source    Treiber's stack (1986) with a counter, as IBM's System/370 manual
 *           has it; emptiness by a double collect (Afek et al. 1993).
 * Design    doc/design/pool.md: the protocol's table
 *           Tests  test/pool/, test/model/test_shared.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_SHARED_H
#define TENURE_SHARED_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

typedef struct tn_shared tn_shared;

typedef struct tn_shared_options {
  const char *name;     // for messages; NULL for none
  tn_provider *memory;  // one block for everything; NULL: address space of its
                        // own, of which memory is asked for as needed
  size_t align;         // of blocks; 0: what that size can need, at most
                        // TN_ALIGN
  uint32_t most;        // blocks at most; 0: 1,048,575
  unsigned shards;      // a power of two, 1 to 16; 0: 8
} tn_shared_options;

/* Make a pool of blocks of size bytes.
 *
 *   size    bytes of a block, at least 1
 *   options NULL for all zero
 *   out     the pool
 *   returns TN_OK; TN_ENOMEM; TN_ERANGE sizes that overflow; TN_EINVAL a broken
 *           contract where checks are off
 *   threads any
 *   cost    a few system calls, or one call of the provider
 */
TN_API tn_status tn_shared_create(tn_shared **out, size_t size,
                                  const tn_shared_options *options);

/* Give all memory back, whatever is live.
 *
 *   threads one, when no other is in a call
 *   cost    a few system calls, or one call of the provider
 */
TN_API void tn_shared_destroy(tn_shared *shared);

/* A block, its contents unspecified.
 *
 *   returns NULL when there is none: [shared.full]
 *   threads any
 *   cost    see above
 */
TN_API TN_NODISCARD void *tn_shared_alloc(tn_shared *shared);

/* Give a block back.
 *
 *   block   from tn_shared_alloc of this pool, live; not NULL.  Where checks
 *           are off, what is no live block is left alone.
 *   threads any
 *   cost    a compare-and-swap
 */
TN_API void tn_shared_free(tn_shared *shared, void *block);

/* Make every block free at once.
 *
 *   threads one, when no other is in a call
 *   cost    O(shards)
 */
TN_API void tn_shared_free_all(tn_shared *shared);

typedef struct tn_shared_stats {
  size_t size;    // bytes asked for a block
  size_t stride;  // bytes that a block takes, beside 4 of its link
  uint32_t live;  // blocks
  uint32_t used;  // blocks ever carved, some 32 at a time
  uint32_t most;  // blocks
  unsigned shards;
} tn_shared_stats;

/* Numbers of now.
 *
 *   threads any; of a moment only when no other is in a call
 *   cost    O(blocks ever carved)
 */
TN_API tn_shared_stats tn_shared_get_stats(const tn_shared *shared);

/* A shared pool as a provider: blocks of at most the pool's size and
 * alignment, which is TN_ALIGN at least or there are none. */
typedef struct tn_shared_provider {
  tn_provider provider;  // const
  tn_shared *shared;     // const
} tn_shared_provider;

/* Offer the pool as a provider, which any thread may use.
 *
 *   returns a provider for as long as the pool lives
 *   threads any
 *   cost    O(1)
 */
TN_API tn_shared_provider tn_shared_provide(tn_shared *shared);

TN_END_DECLS
#endif
