/* stacks.h -- the lock-free part of a shared pool, and nothing else
 *
 * Stacks of block numbers, linked through an array.  A head is a tag above and
 * the number of the top block below; the mask stands for no block.  A block's
 * link is the next number while it is in a stack, and STACKS_LIVE while it is
 * handed out.
 *
 * | step | by | atomic | order, pairs with |
 * |---|---|---|---|
 * | free -> being freed | push | link: LIVE -> next | relaxed: the head publishes it |
 * | being freed -> in stack | push | head: CAS to (tag, block) | release [stacks.publish] |
 * | in stack -> being taken | pop | head: CAS to (tag + 1, next) | acquire [stacks.publish] |
 * | being taken -> live | pop | link: LIVE | relaxed: only its owner frees it |
 *
 * Invariants
 *   [stacks.publish]  what the freeing thread did before happens before what
 *                     the taking thread does after: push's release, or that of
 *                     a pop later in its release sequence, meets the acquire
 *                     of the load or of the failed CAS that pop's CAS expects.
 *   [stacks.tag]      a pop changes the tag, so a CAS that expects a head from
 *                     before any pop fails, and the link that it read, which
 *                     may be old, is not used.
 * Threads   any.
 * Tests     test/model/test_shared.c explores every interleaving of small
 *           programs over this file, with the orders that it names.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_STACKS_H
#define TNI_STACKS_H

#include "base/base.h"

#define STACKS_LIVE UINT32_MAX

enum { STACKS_MOST = 16 };

typedef struct tni_stacks {
  _Atomic uint64_t *heads;  // atomic: acq/rel; one each `step` words
  _Atomic uint32_t *links;  // atomic: relaxed
  uint32_t mask;            // const: the bits of a block's number
  unsigned count;           // const: stacks, a power of two
  size_t step;              // const: words from head to head
} tni_stacks;

/* Take the top block of stack i; the mask when it is empty. */
static inline uint32_t
tni_stacks_pop(const tni_stacks *stacks, unsigned i)
{
  _Atomic uint64_t *const at = &stacks->heads[i * stacks->step];
  const uint64_t mask = stacks->mask;
  /* Pairs with the release of push: [stacks.publish]. */
  uint64_t head = tni_load_acquire(at);
  while ((head & mask) != mask) {
    const uint32_t top = (uint32_t)(head & mask);
    const uint64_t next = tni_load_relaxed(&stacks->links[top]) & mask;
    /* [stacks.tag] */
    const uint64_t wanted = ((head & ~mask) + mask + 1) | next;
    if (tni_cas_acq_rel(at, &head, wanted)) {
      tni_store_relaxed(&stacks->links[top], STACKS_LIVE);
      return top;
    }
  }
  return stacks->mask;
}

/* Put a block, which is the caller's, on stack i. */
static inline void
tni_stacks_push(const tni_stacks *stacks, unsigned i, uint32_t block)
{
  _Atomic uint64_t *const at = &stacks->heads[i * stacks->step];
  const uint64_t mask = stacks->mask;
  uint64_t head = tni_load_relaxed(at);
  do
    tni_store_relaxed(&stacks->links[block], (uint32_t)(head & mask));
  /* Pairs with the acquire of pop: [stacks.publish]. */
  while (!tni_cas_acq_rel(at, &head, (head & ~mask) | block));
}

/* A block of stack i modulo their count, or of the first after it that seems to
 * have one. */
static inline uint32_t
tni_stacks_try(const tni_stacks *stacks, unsigned i)
{
  uint32_t block = stacks->mask;
  for (unsigned k = 0; k < stacks->count && block == stacks->mask; k++)
    block = tni_stacks_pop(stacks, (i + k) & (stacks->count - 1));
  return block;
}

/* Whether at one moment of the call all stacks were empty: twice the same heads,
 * all empty.  Who was pushed to meanwhile is not empty, who was popped from has
 * another tag. */
static inline bool
tni_stacks_are_empty(const tni_stacks *stacks)
{
  uint64_t seen[STACKS_MOST];
  for (unsigned k = 0; k < stacks->count; k++) {
    seen[k] = tni_load_acquire(&stacks->heads[k * stacks->step]);
    if ((seen[k] & stacks->mask) != stacks->mask)
      return false;
  }
  for (unsigned k = 0; k < stacks->count; k++)
    if (tni_load_acquire(&stacks->heads[k * stacks->step]) != seen[k])
      return false;
  return true;
}

/* The same, but the mask only when all were empty at one moment. */
static inline uint32_t
tni_stacks_take(const tni_stacks *stacks, unsigned i)
{
  uint32_t block;
  do
    block = tni_stacks_try(stacks, i);
  while (block == stacks->mask && !tni_stacks_are_empty(stacks));
  return block;
}

#endif
