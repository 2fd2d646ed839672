/* bump.h -- the branchless bump allocator
 *
 * One word of state.  A push subtracts and stores: no branch, no call; what
 * would overflow faults into address space reserved for that.  Nothing is
 * freed: a scope copies the cursor and forgets the copy.
 *
 *     guard (4 GiB and more)      free             live
 *     |xxxxxxxxxxxxxxxxxxxxxx|...............|==============|
 *                            low          cursor          high
 *
 * Invariants
 *   [bump.order]  low <= cursor <= high.
 *   [bump.align]  the cursor is a multiple of TN_ALIGN; every block is.
 *   [bump.probe]  after each push a byte within one granule of the cursor has
 *                 been stored to.
 * Threads   one owner at a time; no lock.
 * Failure   tn_bump_push: one line and SIGABRT; tn_bump_try: NULL.
 * Cost      6 instructions.
 * Design    doc/design/bump.md      Tests  test/bump/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_BUMP_H
#define TENURE_BUMP_H

#include <tenure/base.h>

TN_BEGIN_DECLS

typedef struct tn_bump {
  unsigned char *cursor;  // owner
} tn_bump;

/* Allocate size bytes, aligned to TN_ALIGN.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   returns the block, not zeroed; never NULL
 *   threads the owner of b only
 *   cost    6 instructions, no branch, no call
 */
TN_INLINE void *
tn_bump_push(tn_bump *b, uint32_t size)
{
  /* Round the size, never mask the pointer: masking hides from the compiler
   * which block this is.  The negative of the size rounds down. */
  const ptrdiff_t step = (ptrdiff_t)(-(int64_t)size & -(int64_t)TN_ALIGN);
  unsigned char *const block = b->cursor + step;
  b->cursor = block;
  block[-1] = 0;
  return block;
}

TN_END_DECLS
#endif
