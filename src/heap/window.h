/* window.h -- sampling what malloc gives, at no cost on its fast path
 *
 * While allocations are sampled, the table of classes leads malloc's fast path
 * to other stacks than free's: windows, which only this file fills.  So the
 * blocks that a window held are the allocations since it was filled, counted
 * without an instruction for each.  A window is filled with at most as many
 * blocks as there are before the next sample of its class, and the call that
 * finds it empty then is the sample.
 *
 *     malloc --class + TN_HEAP_CLASSES--> window --empty--> tni_window_take
 *                                           ^                    | memcpy
 *     free --class of the map--> stack -----+--------------------+
 *
 * Exact, as gaps between samples have no memory (base/chance.h): a gap for each
 * class alone is as good as one for all.  Blocks of a size known to the
 * compiler that are taken through handles (<tenure/heap.h>) come from the
 * stacks, and are not sampled.
 *
 * Invariants
 *   [window.count]  blocks that are in no window, and were, are allocated;
 *                   what is given back unused is counted back.
 * Threads   the handle's owner.
 * Failure   without memory for windows blocks come from stacks, unsampled.
 * Cost      about a hundred instructions for up to TNI_WINDOW_BLOCKS blocks.
 * Design    doc/design/profile.md      Tests  test/heap/test_heap_window.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_WINDOW_H
#define TNI_HEAP_WINDOW_H

#include "heap/local.h"

#define TNI_WINDOW_BLOCKS 32u

typedef struct tni_heap_window {
  uint64_t random;
  double left;  // bytes until a sample, of blocks that come from no window
  size_t wait[TN_HEAP_WINDOWS];  // blocks until the class's next sample
  void *blocks[TN_HEAP_WINDOWS][TNI_WINDOW_BLOCKS + 1];  // the first is NULL
} tni_heap_window;

/* Bytes between two samples on average; 0: none are wanted.  Const once this
 * process has a second thread. */
extern size_t tni_window_rate;

/* Begin to sample; the calling thread at once, others that have a handle
 * never, so call it early. */
void tni_window_start(size_t rate);

/* Lead the fast path to the windows, if that is wanted; after the table of
 * classes was filled in. */
void tni_window_attach(tni_heap_local *local);

/* A block for a request of the table's sizes and ordinary alignment.  NULL: out
 * of memory, or *is_due: it is to be a sample, and comes from elsewhere. */
void *tni_window_take(tni_heap_local *local, unsigned size_class, bool *is_due);

/* Whether a block of size bytes that comes from no window is a sample. */
bool tni_window_is_due(tni_heap_local *local, size_t size);

/* The blocks in the window of a class; *blocks[1] is the oldest. */
size_t tni_window_count(tni_heap_local *local, unsigned size_class,
                        void ***blocks);

/* Give all blocks back to their pages. */
void tni_window_flush(tni_heap_local *local);

#endif
