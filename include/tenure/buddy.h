/* buddy.h -- power-of-two blocks of a fixed span, each freed in any order
 *
 * A free block is split in halves until it is as small as was asked; a freed
 * one is joined with its other half as long as that is free too.  The span is a
 * caller's buffer, whose start holds the table, or any range of numbers (device
 * memory, a file's blocks), of which not a byte is touched.
 *
 *     buffer | table: a byte a unit | unit | unit | unit | ... | unit |
 *
 * A block of 2^k units lies at a multiple of its own size, as an address, so
 * any alignment up to a block's size comes by itself.  The span need not be a
 * power of two.
 *
 * Invariants
 *   [buddy.tile]   blocks, live and free, cover the span without a gap or an
 *                  overlap.
 *   [buddy.merge]  no two halves of one block are both free.
 *   [buddy.steps]  alloc takes at most 1 step for each order between the block
 *                  and the one it is cut from, and one more; free at most 1 for
 *                  each order that it joins, and one more.  A step enters a
 *                  block in a list or takes it out.
 * Contracts
 *   [buddy.least]    the smallest block is a power of two; of a buffer from 16
 *                    bytes on.
 *   [buddy.foreign]  what is freed or resized is the start of a block.
 *   [buddy.twice]    and it is live.
 * Threads   one owner at a time; no lock.
 * Failure   NULL, 0, false; nothing has changed.
 * Cost      O(log(span / smallest block)), bounded as [buddy.steps] says; a
 *           byte a unit, and 8 more of a range.
 * Source    Markowitz (1963), described by Knowlton (1965) and in Knuth 2.5.
 * Design    doc/design/buddy.md      Tests  test/buddy/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_BUDDY_H
#define TENURE_BUDDY_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

#define TN_BUDDY_ORDERS 32

typedef struct tn_buddy {
  unsigned char *table;  // const: what begins at a unit
  unsigned char *links;  // const: of a free block, two numbers of units
  unsigned char *base;   // const: unit 0; NULL of a range
  uint64_t first;        // const: unit 0 as a multiple of the least block
  uint32_t units;        // const
  uint32_t nonempty;     // owner: bit k: there are free blocks of order k
  uint32_t heads[TN_BUDDY_ORDERS];  // owner: the first free block of each
  unsigned least_log2;              // const
  unsigned link_log2;               // const: from link to link
  uint64_t steps;                   // owner: steps so far
} tn_buddy;

/* Manage a buffer.
 *
 *   buffer  stays the caller's, and must outlive the blocks
 *   size    bytes, of which about 1 in least + 1 are for the table
 *   least   bytes of the smallest block: a power of two, at least 16; 0: 64
 *   returns TN_OK; TN_ENOMEM when there is no room for one block; TN_ERANGE for
 *           2^31 units and more; TN_EINVAL a broken contract where checks are
 *           off
 *   threads the owner
 *   cost    O(units): the table is cleared
 */
TN_API tn_status tn_buddy_over(tn_buddy *buddy, void *buffer, size_t size,
                               size_t least);

/* The buffer is all the caller's again, with whatever is live in it.
 *
 *   threads the owner
 *   cost    O(1)
 */
TN_API void tn_buddy_leave(tn_buddy *buddy);

/* Bytes of the table that tn_buddy_over_range needs.
 *
 *   size    of the range
 *   least   a power of two, at least 1
 *   returns 0 when that is no table that there could be
 *   threads any
 *   cost    O(1)
 */
TN_API size_t tn_buddy_table_size(uint64_t size, uint64_t least);

/* Manage the range of numbers from start on: tn_buddy_take and tn_buddy_give.
 *
 *   table   tn_buddy_table_size bytes, aligned to 4, which must outlive it
 *   start, size  cut to whole multiples of least
 *   least   the smallest block: a power of two, at least 1
 *   returns TN_OK; TN_ENOMEM no unit is left; TN_ERANGE 2^31 units and more;
 *           TN_EINVAL
 *   threads the owner
 *   cost    O(units)
 */
TN_API tn_status tn_buddy_over_range(tn_buddy *buddy, void *table,
                                     uint64_t start, uint64_t size,
                                     uint64_t least);

/* A block of a buffer, of the smallest power of two that holds size bytes.
 *
 *   size    bytes; 0 as 1
 *   returns NULL when no free block is large enough
 *   threads the owner
 *   cost    [buddy.steps]
 */
TN_API TN_NODISCARD void *tn_buddy_alloc(tn_buddy *buddy, size_t size);

/* Give a block back.
 *
 *   block   from tn_buddy_alloc, live; not NULL.  Where checks are off, what is
 *           no live block is left alone.
 *   threads the owner
 *   cost    [buddy.steps]
 */
TN_API void tn_buddy_free(tn_buddy *buddy, void *block);

/* Make a block the smallest power of two that holds size bytes, in place.
 *
 *   returns bytes of the block; 0 when the free blocks after it are not those
 *           that it would need
 *   threads the owner
 *   cost    a step for each order between
 */
TN_API size_t tn_buddy_resize(tn_buddy *buddy, void *block, size_t size);

/* A block of a range.
 *
 *   size    0 as 1
 *   address receives where it starts
 *   returns false when no free block is large enough
 *   threads the owner
 *   cost    [buddy.steps]
 */
TN_API TN_NODISCARD bool tn_buddy_take(tn_buddy *buddy, uint64_t size,
                                       uint64_t *address);

/* Give a block of a range back, as tn_buddy_free.
 *
 *   address of its start
 *   threads the owner
 *   cost    [buddy.steps]
 */
TN_API void tn_buddy_give(tn_buddy *buddy, uint64_t address);

/* Call visit for each live block in the order of addresses.  It must not change
 * the buddy.
 *
 *   argument  handed to visit
 *   threads   the owner
 *   cost      O(blocks, live and free)
 */
TN_API void tn_buddy_walk(const tn_buddy *buddy,
                          void (*visit)(void *argument, uint64_t address,
                                        uint64_t size),
                          void *argument);

typedef struct tn_buddy_stats {
  uint64_t size;          // all units
  uint64_t free;          // bytes
  uint64_t largest_free;  // bytes of the largest block that can be had
  uint32_t live_blocks;
  uint32_t free_blocks;
  uint64_t steps;  // so far
} tn_buddy_stats;

/* Numbers of now.
 *
 *   threads the owner
 *   cost    O(blocks, live and free)
 */
TN_API tn_buddy_stats tn_buddy_get_stats(const tn_buddy *buddy);

/* A buddy over a buffer as a provider: any size and alignment that fits. */
typedef struct tn_buddy_provider {
  tn_provider provider;  // const
  tn_buddy *buddy;       // const
} tn_buddy_provider;

/* Offer the buddy as a provider.
 *
 *   returns a provider for as long as the buddy lives
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_buddy_provider tn_buddy_provide(tn_buddy *buddy);

TN_END_DECLS
#endif
