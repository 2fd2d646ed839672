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

/* Pages of these classes may become hosts: of 32 to 512 bytes, so that half of
 * a slice's bits are enough for free ones. */
#define TNI_HOST_FIRST 2u
#define TNI_HOST_LAST  24u
#define TNI_HOST_WORDS 32u

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

/* Whether it lends its holes to larger blocks: host.h. */
static inline bool
tni_page_is_host(const tni_heap_page *page)
{
  return tni_load_relaxed(&page->is_host) != 0;
}

/* The bits of a host's units that continue the block of the unit before. */
static inline uint64_t *
tni_page_continued(const tni_heap_page *page)
{
  return page->bits + TNI_HOST_WORDS;
}

static inline bool
tni_page_continues(const tni_heap_page *page, uint32_t index)
{
  const _Atomic uint64_t *const word =
      (const _Atomic uint64_t *)&tni_page_continued(page)[index / 64];
  return (tni_load_relaxed(word) >> index % 64 & 1) != 0;
}

/* Units of a host's block that starts at one; host.h. */
unsigned tni_page_units(const tni_heap_page *page, uint32_t index);
/* Free it; false when none starts there. */
bool tni_page_put_units(tni_heap_page *page, uint32_t index);

/* Bytes of the block at offset. */
static inline size_t
tni_page_granted(const tni_heap_page *page, size_t offset)
{
  if (TN_LIKELY(!tni_page_is_host(page)))
    return page->size;
  return page->size * tni_page_units(page, tni_page_index(page, offset));
}

/* The class of the block at offset. */
static inline unsigned
tni_page_class(const tni_heap_page *page, size_t offset)
{
  if (TN_LIKELY(!tni_page_is_host(page)))
    return page->size_class;
  return tn_heap_class(tni_page_granted(page, offset));
}

/* Blocks in [low, high) (offsets) are given out: nothing there is known to be
 * zero any more. */
void tni_page_soil(tni_heap_page *page, size_t low, size_t high);

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
  if (TN_UNLIKELY(tni_page_is_host(page)))
    return tni_page_put_units(page, index);
  page->bits[index / 64] |= bit;
  if (index / 64 < page->hint)
    page->hint = (uint16_t)(index / 64);
  page->free++;
  return true;
}

/* Set n bits from first on, n at most 64; false when one was set. */
static inline bool
tni_page_put_row(uint64_t *bits, size_t first, size_t n)
{
  uint64_t *const word = bits + first / 64;
  const unsigned at = first % 64;
  const uint64_t mask = UINT64_MAX >> (64 - n);
  const uint64_t low = mask << at;
  const uint64_t high = at + n > 64 ? mask >> (64 - at) : 0;
  if (TN_UNLIKELY((word[0] & low) != 0 || (high && (word[1] & high) != 0)))
    return false;
  word[0] |= low;
  if (high)
    word[1] |= high;
  return true;
}

/* Purge whole units of memory without a live block; bytes purged. */
size_t tni_page_purge_holes(tni_heap_page *page);

/* Take one block and make it zero, but for the bytes that are known to be:
 * *untouched says how many.  NULL: none is free. */
void *tni_page_take_zero(tni_heap_page *page, size_t *untouched);

bool tni_page_is_valid(const tni_heap_page *page);

#endif
