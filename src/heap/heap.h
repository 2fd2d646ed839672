/* heap.h -- general heaps: blocks whose lifetimes nobody knows
 *
 * The door of the heap layer.  The public half is <tenure/heap.h>; this is
 * what the malloc shim builds its entry points on: the two fast paths, and
 * what they call when those do not do.
 *
 *     class.h   sizes          page.h    blocks of one page
 *     space.h   slices         local.h   a thread's handle; heaps
 *     large.h   large blocks   remote.h  blocks of other threads' pages
 *     purge.h   memory goes back   window.h  sampling what malloc gives
 *
 * Design    doc/design/heap.md      Tests  test/heap/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_H
#define TNI_HEAP_H

#include <tenure/heap.h>

#include "base/base.h"
#include "heap/class.h"
#include "heap/live.h"
#include "heap/local.h"
#include "heap/window.h"

/* A block of the process's heap, 16-aligned, if this thread's stack has one;
 * NULL: call tn_heap_allocate.
 *
 *   [heap.cost]  13 instructions with what malloc needs round it, and 15 with
 *                what free needs (slow_malloc_golden.py).
 */
static inline void *
tni_heap_try_take(size_t size)
{
  tn_heap_local *here = tni_heap_here;
  if (TN_UNLIKELY(size > TN_HEAP_TABLE_MAX))
    return NULL;
  size_t size_class = here->class_of[(size + 15) / 16];
#if TNI_HEAP_CHECKED
  here = &((tni_heap_local *)here)->checked;
#endif
  void *const block = *here->top[size_class];
  if (TN_UNLIKELY(!block))
    return NULL;
  TNI_OPAQUE(size_class);  // so that one instruction reads, counts and writes
  here->top[size_class]--;
  if (TNI_HEAP_CHECKED)
    tni_live_set_fast(block);
  return block;
}

/* What comes next: the same with the stack refilled; NULL: as above. */
TN_COLD void *tni_heap_take_refilled(size_t size);

/* Free a block of the process's heap if this thread's stack has room; false:
 * nothing has happened, call tn_heap_free_any.  The map says the class of one of
 * the process's small blocks; of all else, which pointer may be, it says 0,
 * whose stack is always full. */
static inline bool
tni_heap_try_give(void *pointer)
{
  tn_heap_local *here = tni_heap_here;
  const unsigned char *const map = tni_heap_map.base;
  const size_t offset = tni_address(pointer) - tni_address(map);
  if (TN_HARDEN >= 2)
    return false;  // into the quarantine
  if (TN_UNLIKELY(offset >= tni_load_relaxed(&tni_heap_map.size)))
    return false;
  size_t size_class = tni_load_relaxed(
      (const _Atomic unsigned char *)&map[offset >> TNI_HEAP_SLICE_LOG2]);
#if TNI_HEAP_CHECKED
  here = &((tni_heap_local *)here)->checked;
#endif
  void **const top = here->top[size_class];
  if (TN_UNLIKELY(top == here->limit[size_class]))
    return false;
  if (TNI_HEAP_CHECKED && !tni_live_clear_fast(pointer))
    return false;
  top[1] = pointer;
  atomic_signal_fence(memory_order_release);  // [local.busy]
  TNI_OPAQUE(size_class);                     // as above
  here->top[size_class]++;
  return true;
}

/* The class of a small block of the process's heap, as the map says; 0 for all
 * else. */
static inline unsigned
tni_heap_map_class(const void *pointer)
{
  const unsigned char *const map = tni_heap_map.base;
  const size_t offset = tni_address(pointer) - tni_address(map);
  if (TNI_HEAP_CHECKED || offset >= tni_load_relaxed(&tni_heap_map.size))
    return 0;
  return tni_load_relaxed(
      (const _Atomic unsigned char *)&map[offset >> TNI_HEAP_SLICE_LOG2]);
}

/* Say what a pointer is that somebody wants to free, and stop. */
TN_COLD TN_NORETURN void tni_heap_refuse(const void *pointer, const char *tag,
                                         const char *what);

/* The page that p is in; NULL: in none of any heap. */
tni_heap_page *tni_heap_find_page(const void *p);

#endif
