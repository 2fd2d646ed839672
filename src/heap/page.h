/* page.h -- a page of small blocks of one size, and which of them are free
 *
 * A page is one slice, or several for large sizes.  A bitmap in the space says
 * which blocks are free.  Blocks are given out lowest first: what is live
 * gathers at the start, and the rest of the page is never touched.
 *
 *     blocks  0 | 1 | 2 | 3 | ... |          bits  0 0 1 1 ... 1
 *             live live free free
 *
 * Invariants
 *   [page.free]   free is the number of bits that are set, and none is set
 *                 below the word hint.
 *   [page.clean]  a sixteenth of a slice that is marked clean is zero, and no
 *                 live block lies in it.
 * Threads   the page's owner, except where remote.h says otherwise.
 * Failure   NULL.
 * Design    doc/design/heap.md      Tests  test/heap/test_page.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_PAGE_H
#define TNI_HEAP_PAGE_H

#include "heap/class.h"
#include "heap/space.h"

#define TNI_PAGE_SLICES 16u  // of a page, at most

static inline unsigned
tni_page_words(const tni_heap_page *page)
{
  return (page->blocks + 63) / 64;
}

/* The block that a byte of the page's memory is in. */
static inline uint32_t
tni_page_index(const tni_heap_page *page, size_t offset)
{
  return (uint32_t)(offset * page->reciprocal >> 40);
}

/* A number that an attacker does not know; not for keys that must last. */
uint64_t tni_page_random(void);

/* Cut a run of tni_page_slices into blocks, all free. */
void tni_page_init(tni_heap_page *page, unsigned size_class, bool is_clean);
/* Slices of a page of a class, in a space of slices of 1 << slice_log2. */
size_t tni_page_slices(unsigned size_class, unsigned slice_log2);
/* Forget the page; its run may be given back. */
void tni_page_fini(tni_heap_page *page);

/* Take up to n free blocks, the lowest, into the end of out: the lowest of them
 * is out[n - 1]. */
size_t tni_page_take(tni_heap_page *page, void **out, size_t n);

/* Set the bit of the block at offset; false when it is no start of a block, or
 * free already. */
static inline bool
tni_page_put(tni_heap_page *page, size_t offset)
{
  const uint32_t index = tni_page_index(page, offset);
  const uint64_t bit = (uint64_t)1 << index % 64;
  /* A bit that is set is a block that was freed already: [heap.live]. */
  if (TN_UNLIKELY(index * page->size != offset || index >= page->blocks ||
                  (page->bits[index / 64] & bit) != 0))
    return false;
  page->bits[index / 64] |= bit;
  if (index / 64 < page->hint)
    page->hint = (uint16_t)(index / 64);
  page->free++;
  return true;
}

/* Purge whole units of memory without a live block; bytes purged. */
size_t tni_page_purge_holes(tni_heap_page *page);

/* Take one block and make it zero, but for the bytes that are known to be:
 * *untouched says how many.  NULL: none is free. */
void *tni_page_take_zero(tni_heap_page *page, size_t *untouched);

bool tni_page_is_valid(const tni_heap_page *page);

#endif
