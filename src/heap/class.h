/* class.h -- sizes of small blocks
 *
 *     class   1 ..  8   16, 32 ... 128
 *     class   9 .. 88   8 a doubling: 144, 160 ... 256, 288 ... 131072
 *     class  89 .. 91   24, 40, 56, for an alignment of 8 only
 *
 * Eight a doubling lose at most an eighth of a block; every second allocator
 * has four, and loses a quarter.  All sizes but the last three are multiples
 * of TN_ALIGN, and a block's address is a multiple of what divides its size.
 *
 * Invariants
 *   [class.fit]   the class of a size is the smallest that holds it.
 *   [class.align] a block of the class chosen for an alignment has it.
 * Threads   pure.
 * Source    jemalloc's and tcmalloc's geometric classes
 * Design    doc/design/heap.md      Tests  test/heap/test_class.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_CLASS_H
#define TNI_HEAP_CLASS_H

#include <tenure/heap.h>

#include "base/base.h"

#define TNI_CLASS_LAST  88u  // the last of the ordinary ones
#define TNI_CLASS_EIGHT 89u  // 24; then 40 and 56

/* Bytes of a block; size_class from 1. */
static inline size_t
tni_class_size(unsigned size_class)
{
  if (size_class <= 8)
    return (size_t)size_class * 16;
  if (size_class > TNI_CLASS_LAST)
    return 24 + (size_t)(size_class - TNI_CLASS_EIGHT) * 16;
  const unsigned k = size_class - 9;
  return (size_t)(8 + (k & 7) + 1) << (k / 8 + 4);
}

/* The class for a request; 0 when the block is a large one.  Pages are aligned
 * to slices of slice_size bytes, and hold blocks of up to two of those. */
static inline unsigned
tni_class_of(size_t size, size_t align, size_t slice_size)
{
  if (align <= 8 && size <= 56 && size > 16 && ((size + 7) / 8 & 1))
    return TNI_CLASS_EIGHT + (unsigned)((size + 7) / 16 - 1);
  if (size > 2 * slice_size || align > slice_size)
    return 0;
  if (align <= TN_ALIGN)
    return tn_heap_class(size);
  /* [class.fit], [class.align]: the next power of two is one at the latest. */
  unsigned size_class = tn_heap_class(tni_max(size, align));
  while (!tni_is_aligned(tni_class_size(size_class), align))
    size_class++;
  return size_class;
}

#endif
