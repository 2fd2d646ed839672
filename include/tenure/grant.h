/* grant.h -- all of a program's memory, taken once at the start
 *
 * A program that must not be refused memory half way, or wait for a page, asks
 * for all of it first.  A grant is that memory, resident, as a provider: give
 * it to arenas (tn_arena_set_source), pools, arrays.  From then on Tenure asks
 * the system for nothing, and exceeding the grant is NULL.
 *
 *     low | block | free | block | block | .... not used yet .... | size
 *                                        top
 *
 * How much it takes: let a run record it (size 0 grows as wanted), and give
 * what tn_grant_get_peak says to the next one: blocks go to the same places,
 * so that a run that asks the same is served the same.
 *
 * Meant for chunks and slabs, which are few; not for small objects.
 *
 * Invariants
 *   [grant.order]  free blocks are in order of their addresses, below top, and
 *                  no two of them touch: what is freed is joined.
 *   [grant.once]   with a size, nothing is asked of the system after create,
 *                  and no page of the grant faults.
 * Contracts
 *   [grant.block]  what is given back or resized is a block of this grant.
 * Threads   any; one lock.
 * Failure   as a provider: NULL, 0; nothing has changed.
 * Cost      O(free blocks).
 * Source    first fit in order of addresses: Knuth, volume 1, 2.5; the sizes
 *           that providers are told make headers needless.
 * Design    doc/design/grant.md      Tests  test/provider/test_grant.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_GRANT_H
#define TENURE_GRANT_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

typedef struct tn_grant {
  tn_provider provider;        // const
  struct tni_region *region;   // const
  struct tni_grant_gap *gaps;  // lock
  size_t top;                  // lock: bytes from low, above all blocks
  size_t peak;                 // lock: most that top was
  size_t size;                 // const: bytes; 0: recording
  uint32_t lock[2];            // a lock of os
} tn_grant;

typedef struct tn_grant_options {
  const char *name;  // for messages: text that outlives the grant
  size_t size;       // bytes; 0: record what is needed
  size_t stack;      // bytes of the calling thread's stack to make resident
} tn_grant_options;

/* Take the memory, and make it resident: with it the program's own code and
 * data, and of the stack what was asked.
 *
 *   out     stays where it is
 *   options NULL for recording
 *   returns TN_OK; TN_ENOMEM, TN_ERANGE: the system has not so much
 *   errors  out is written only when TN_OK is returned
 *   threads any
 *   cost    O(pages)
 */
TN_API tn_status tn_grant_create(tn_grant *out,
                                 const tn_grant_options *options);

/* Give it back, and every block in it.
 *
 *   threads nobody else uses it
 *   cost    a few system calls
 */
TN_API void tn_grant_destroy(tn_grant *grant);

/* What a grant needs for what was asked of this one so far: its size, for the
 * next run.
 *
 *   returns bytes
 *   threads any
 *   cost    a lock
 */
TN_API size_t tn_grant_get_peak(tn_grant *grant);

/* Offer grant where any allocator is taken, to any thread. */
TN_INLINE tn_provider *
tn_grant_provider(tn_grant *grant)
{
  return &grant->provider;
}

TN_END_DECLS
#endif
