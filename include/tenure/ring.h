/* ring.h -- allocate at one end, free at the other
 *
 * Blocks of any size, freed in the order in which they came (or the newest
 * first, from the end where they came).  A block is always contiguous: the ring
 * made by tn_ring_create is mapped twice, side by side, so that a block across
 * the end goes on in the second view; over a caller's buffer what does not fit
 * before the end begins at the start.
 *
 *     base                                  end (= base of the second view)
 *      | b | c |...... free ......| x | y | z | a |
 *               ^ tail             ^ head
 *      | newest                     oldest        |
 *
 * Nothing is searched and there is no header: a block's size is given again
 * when it is freed.
 *
 * Invariants
 *   [ring.order]  what is live lies from head to tail, once round at most.
 *   [ring.whole]  a block is one contiguous range.
 *   [ring.room]   the bytes from tail to before limit are free.
 * Contracts
 *   [ring.size]    a block has at least 1 byte.
 *   [ring.oldest]  what tn_ring_pop is given is the oldest block, and no longer
 *                  than all that is live.
 *   [ring.newest]  what tn_ring_drop is given is the newest.
 *   [ring.live]    what the provider is given back is a live block of it.
 * Threads   one owner at a time; no lock.
 * Failure   NULL, a status; nothing has changed.
 * Cost      push at most 8 instructions, pop at most 8 (test_golden.py); a call
 *           once a round, and when what was freed meanwhile is needed.
 * Source    the double mapping is folklore ("magic ring buffer"); that a queue
 *           can be a discipline of memory, as a stack is, is the seed's.
 * Design    doc/design/ring.md      Tests  test/ring/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_RING_H
#define TENURE_RING_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

/* Debug and release objects do not link: see TNI_LIBRARY_KIND. */
static const char *const tni_ring_kind __attribute__((used)) =
    &TNI_LIBRARY_KIND;

typedef struct tn_ring {
  size_t not_room;            // owner: ~room, the bytes free from tail on, as
                              // far as known
  unsigned char *limit;       // owner: one more than where those end, so that
                              // tail, where the next block begins, is limit +
                              // not_room
  unsigned char *head;        // owner: the oldest block
  unsigned char *turn;        // owner: when head gets here it goes round
  unsigned char *base;        // const
  size_t size;                // const: bytes, a multiple of TN_ALIGN
  bool is_mapped;             // const: there is a second view
  bool is_wrapped;            // owner: tail has gone round and head has not
  struct tni_region *region;  // const: NULL over a buffer
} tn_ring;

typedef struct tn_ring_options {
  const char *name;  // for messages; NULL for none
} tn_ring_options;

/* Make a ring in address space of its own, mapped twice where the system can.
 *
 *   size    bytes at least; rounded up to pages, and asked for at once
 *   options NULL for all zero
 *   returns TN_OK; TN_ENOMEM; TN_ERANGE; TN_EINVAL a broken contract where
 *           checks are off
 *   threads any
 *   cost    a few system calls
 */
TN_API tn_status tn_ring_create(tn_ring *ring, size_t size,
                                const tn_ring_options *options);

/* Make a ring of a buffer.  A block that does not fit before the end leaves
 * what is there unused until the ring has gone round.
 *
 *   buffer  stays the caller's, and must outlive the blocks
 *   size    bytes; at least TN_ALIGN after aligning
 *   returns TN_OK; TN_ENOMEM when there is no room for a block
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_status tn_ring_over(tn_ring *ring, void *buffer, size_t size);

/* Give the memory back, whatever is live; a buffer is the caller's again.
 *
 *   threads the owner
 *   cost    a few system calls, none for a buffer
 */
TN_API void tn_ring_destroy(tn_ring *ring);

/* Free everything.
 *
 *   threads the owner
 *   cost    O(1)
 */
TN_API void tn_ring_reset(tn_ring *ring);

/* Bytes that blocks take, with what a buffer's end leaves unused.
 *
 *   threads the owner
 *   cost    O(1)
 */
TN_API size_t tn_ring_used(const tn_ring *ring);

/* The size of the largest block that can be had now.
 *
 *   threads the owner
 *   cost    O(1)
 */
TN_API size_t tn_ring_largest(const tn_ring *ring);

/* Whether the ring is mapped twice: then a block of any size fits when so many
 * bytes are free.
 *
 *   threads the owner
 *   cost    a load
 */
TN_INLINE bool
tn_ring_is_mapped(const tn_ring *ring)
{
  return ring->is_mapped;
}

/* Free the newest block: the other end of a ring that is used as a deque.
 *
 *   block   what tn_ring_push gave last
 *   size    as it was asked for
 *   threads the owner
 *   cost    a call
 */
TN_API void tn_ring_drop(tn_ring *ring, void *block, size_t size);

/* ---- Called by the inline functions only --------------------------------- */

/* What does not fit into room: go round, or take what has been freed. */
TN_API TN_COLD void *tni_ring_push_slow(tn_ring *ring, size_t size);
/* Head has come to its turn. */
TN_API TN_COLD void tni_ring_turn(tn_ring *ring);
TN_API void *tni_ring_push_debug(tn_ring *ring, size_t size);
TN_API void tni_ring_pop_debug(tn_ring *ring, void *block, size_t size);
/* The contracts of a pop, for hardened builds. */
TN_API void tni_ring_check_pop(const tn_ring *ring, const void *block,
                               size_t size);

/* ---- The fast path ------------------------------------------------------- */

/* A new block, the newest, aligned to TN_ALIGN; its contents unspecified.
 *
 *   size    bytes, at least 1
 *   returns NULL when there is no room
 *   threads the owner
 *   cost    at most 8 instructions
 */
TN_INLINE TN_NODISCARD void *
tn_ring_push(tn_ring *ring, size_t size)
{
  TN_REQUIRE(size > 0, "ring.size", "a block of 0 bytes");
  if (TN_DEBUG >= 1)
    return tni_ring_push_debug(ring, size);
  /* The offset of the last byte, 16 k + 15, is more than room exactly when the
   * block does not fit, and then its sum with ~room carries; for 0 bytes too. */
  const size_t from = ring->not_room;
  size_t last;
  if (TN_UNLIKELY(
          __builtin_add_overflow((size - 1) | (TN_ALIGN - 1), from, &last)))
    return tni_ring_push_slow(ring, size);
  ring->not_room = last + 1;
  return ring->limit + (ptrdiff_t)from;
}

/* Free the oldest block.
 *
 *   block   the oldest
 *   size    as it was asked for
 *   threads the owner
 *   cost    at most 8 instructions
 */
TN_INLINE void
tn_ring_pop(tn_ring *ring, void *block, size_t size)
{
  if (TN_DEBUG >= 1) {
    tni_ring_pop_debug(ring, block, size);
    return;
  }
  if (TN_HARDEN >= 1)
    tni_ring_check_pop(ring, block, size);
  const size_t rounded = (size + TN_ALIGN - 1) & ~(size_t)(TN_ALIGN - 1);
  ring->head += rounded;
  if (TN_UNLIKELY(ring->head >= ring->turn))
    tni_ring_turn(ring);
}

/* Where the oldest block is; where the next will be, when there is none.
 *
 *   threads the owner
 *   cost    a load
 */
TN_INLINE void *
tn_ring_oldest(const tn_ring *ring)
{
  return ring->head;
}

/* ---- As a provider ------------------------------------------------------- */

/* A ring as a provider: blocks have a head of 16 bytes and may be freed in any
 * order; memory comes round when the oldest has been.  The ring must not be used
 * otherwise. */
typedef struct tn_ring_provider {
  tn_provider provider;  // const
  tn_ring *ring;         // const
} tn_ring_provider;

/* Offer an empty ring as a provider.
 *
 *   returns a provider for as long as the ring lives
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_ring_provider tn_ring_provide(tn_ring *ring);

TN_END_DECLS
#endif
