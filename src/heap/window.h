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
 * Cost      about ninety instructions for up to TNI_WINDOW_BLOCKS blocks.
 * Design    doc/design/profile.md      Tests  test/heap/test_heap_window.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_WINDOW_H
#define TNI_HEAP_WINDOW_H

#include <string.h>

#include "heap/local.h"
#include "heap/purge.h"

#define TNI_WINDOW_BLOCKS  127u  // as a stack has at most, but of tiny blocks
#define TNI_WINDOW_FEW     32u   // a stack of fewer gets more from pages,
#define TNI_WINDOW_TOP     120u  // up to so many
#define TNI_WINDOW_TRAPPED 16u   // of a trapped handle: then comes a slow step

typedef struct tni_heap_window {
  uint64_t random;
  int64_t left;  // bytes until a sample, of blocks that come from no window
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

/* Move the newest n blocks of a stack to its empty window. */
static inline void
tni_window_move(tni_heap_local *local, unsigned size_class, size_t n)
{
  tn_heap_local *const cache = tni_local_cache(local);
  void **const blocks = local->window->blocks[size_class];
  void **const from = cache->top[size_class] - n;
  tni_local_begin(local);
  local->window->wait[size_class] -= n;
  cache->top[size_class] = from;
  cache->top[TN_HEAP_CLASSES + size_class] = blocks + n;
  size_t size = n * sizeof *blocks;
  TNI_OPAQUE(size);
  memcpy(blocks + 1, from + 1, size);
  tni_local_end(local);
}

/* As tni_window_take, where there are enough blocks for a window; NULL: that
 * is to be asked. */
static inline void *
tni_window_try(tni_heap_local *local, unsigned size_class)
{
  tni_heap_window *const window = local->window;
  size_t least = TNI_WINDOW_FEW, most = TNI_WINDOW_BLOCKS;
  if (TN_UNLIKELY(!window))
    return NULL;
  if (TN_UNLIKELY(local->is_trapped)) {
    tni_purge_step(local);
    least = 1, most = TNI_WINDOW_TRAPPED;
  }
  void ***const top =
      &tni_local_cache(local)->top[TN_HEAP_CLASSES + size_class];
  size_t n = tni_local_count(local, size_class);
  n = tni_min(n, window->wait[size_class]);
  n = tni_min(n, most);
  if (TN_UNLIKELY(n < least || **top))
    return NULL;
  tni_window_move(local, size_class, n);
  return *(*top)--;
}

/* A block for a request of the table's sizes and ordinary alignment.  NULL: none
 * is to be had here, or *is_due: it is to be a sample. */
void *tni_window_take(tni_heap_local *local, unsigned size_class, bool *is_due);

/* The slow part of the next. */
TN_COLD bool tni_window_renew(tni_heap_local *local, size_t size);

/* Whether a block of size bytes that comes from no window is a sample. */
static inline bool
tni_window_is_due(tni_heap_local *local, size_t size)
{
  tni_heap_window *const window = local->window;
  if (TN_LIKELY(window != NULL)) {
    window->left -= (int64_t)size;
    if (TN_LIKELY(window->left >= 0))
      return false;
  }
  return tni_window_renew(local, size);
}

/* The blocks in the window of a class; *blocks[1] is the oldest. */
size_t tni_window_count(tni_heap_local *local, unsigned size_class,
                        void ***blocks);

/* Give all blocks back to their pages. */
void tni_window_flush(tni_heap_local *local);

#endif
