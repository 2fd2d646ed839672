/* purge.h -- giving memory back, without a thread and without a storm
 *
 * Every few slow steps a handle looks at the clock.  Each quarter of a second
 * it then empties stacks that were not used meanwhile, drops empty pages and
 * purges holes in pages that gave nothing for a while; and whoever is first
 * purges half of the dirty slices that nobody needed in that time (the least
 * that there were), so that a working set that comes and goes is left alone.
 *
 * Programs whose allocations never leave the fast path take no slow steps.
 * So when much has come back, the handle is trapped: its table of classes says
 * 0 for every size, which sends malloc (but not free, so that freeing much
 * stays fast) into the slow path, until the memory is given back or blocks are
 * taken from pages again.
 *
 * Invariants
 *   [purge.budget]  at most a tenth of the time is spent in here.
 * Threads   a handle's owner; tni_purge_idle and tni_purge_everything any.
 * Design    doc/design/heap.md      Tests  test/heap/test_purge.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_PURGE_H
#define TNI_HEAP_PURGE_H

#include "heap/local.h"

#define TNI_PURGE_STEPS 8u  // slow steps from one look at the clock to another

TN_COLD void tni_purge_look(tni_heap_local *local);

/* A slow step: perhaps look at the clock. */
static inline void
tni_purge_step(tni_heap_local *local)
{
  if (TN_UNLIKELY(++local->slow % TNI_PURGE_STEPS == 0))
    tni_purge_look(local);
}

/* Blocks were taken from a page: with enough of those the trap is lifted. */
void tni_purge_note_refill(tni_heap_local *local);

/* Give back what a handle does not need: everything that can be.  The owner,
 * or the lock for an idle one; bytes purged inside pages. */
size_t tni_purge_local(tni_heap_local *local);

/* Only drop its empty pages. */
void tni_purge_empty(tni_heap_local *local);

/* Ask all handles to do so at their next look. */
void tni_purge_request(void);

#endif
