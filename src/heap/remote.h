/* remote.h -- freeing a block whose page is another thread's
 *
 * A page has a list of blocks that others freed, linked by block numbers in
 * the blocks' first four bytes, which the owner checks before it believes
 * them.  Who finds that list empty also puts the page on the owner's stack of
 * noted pages.  The owner takes that stack whole.  When the owner is idle,
 * whoever notes a page takes the lock and does the owner's work.
 *
 *  | step | who | atomic step | order, pairs with | if lost |
 *  | R1 | freer | page.remote: list -> block, list | CAS acq_rel, C2 | again |
 *  | R2 | freer | was the list empty? | R1's CAS | no: noted already; done |
 *  | R3 | freer | local.noted: stack -> page, stack | CAS seq_cst, C1 | again |
 *  | R4 | freer | local.state is IDLE? | seq_cst, G1 | no: the owner looks |
 *  | R5 | freer | lock, still IDLE: C1 to C3, unlock | lock | no: as R4 |
 *  | C1 | owner | local.noted -> NULL | swap seq_cst, R3 | |
 *  | C2 | owner | page.remote -> empty | swap acq_rel, R1 | |
 *  | C3 | owner | bits of those blocks are set | plain | |
 *  | G1 | owner | lock, local.state -> IDLE | seq_cst, R4 | |
 *  | G2 | owner | C1 to C3 once more, unlock | lock | |
 *  | A1 | adopter | lock, state IDLE -> OWNED, unlock | lock | |
 *
 * Invariants
 *   [remote.touch]  a freer touches a page last in R1, or, when its list was
 *                   empty, before C1 can take the page: so a page with a block
 *                   that is being freed is never given back underneath it.
 *   [remote.noted]  a page whose list is not empty is noted, or who made it so
 *                   is between R1 and R3.
 *   [remote.idle]   an idle handle with a noted page has somebody between R3
 *                   and R5, or in G2.
 * Threads   any.
 * Source    mimalloc's list a page, where any free may become the owner's
 *           work; whole handles change hands as in snmalloc, which needs no
 *           per-page ownership.
 * Design    doc/design/heap.md      Tests  test/model/test_heap_remote.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_REMOTE_H
#define TNI_HEAP_REMOTE_H

#include "heap/local.h"

/* Free the block at offset of a page of another handle: R1 to R5.  False when
 * it is no start of a block. */
bool tni_remote_free(tni_heap_page *page, size_t offset);

/* Take in what others freed to a handle's pages: C1 to C3. */
void tni_remote_collect(tni_heap_local *local);

/* Let go of a handle, lock held: G1 and G2. */
void tni_remote_leave(tni_heap_local *local);

#endif
