/* host.h -- sparse pages lend their holes to larger blocks
 *
 * A page of small blocks of which few are left alive pins all its memory, and
 * no other class can have it.  So when a class needs a page, and a smaller one
 * whose size divides its own has several pages that are nearly empty, one of
 * those becomes a host: several free blocks in a row, its units, are handed
 * out as one larger block.
 *
 *     units       | 0 | 1 | 2 | 3 | 4 | 5 |     a survivor, a block of four
 *     free bits     0   0   0   0   0   1
 *     continues     0   0   1   1   1   0
 *
 * The map says class 0 for a host's slice, so that freeing one of its blocks
 * takes the slow way, which asks how long the block is.  A host stays one until
 * it is empty.
 *
 * Invariants
 *   [host.units]     a unit that continues is not free, and the unit before it
 *                    is not free.
 *   [host.readers]   whoever has a block may ask for its length: the bits of
 *                    its units and of the next one's continuation do not change
 *                    while it lives, and their words change atomically.
 *   [host.align]     a block's address is a multiple of what divides its size.
 * Threads   the page's owner; tni_host_granted by whoever has the block.
 * Cost      at most HOST_TRIES searches of 32 words for one refill.
 * Design    doc/design/heap.md      Tests  test/heap/test_heap_host.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_HOST_H
#define TNI_HEAP_HOST_H

#include "heap/local.h"

#define TNI_HOST_UNITS 64u           // of a block, at most
#define TNI_HOST_MAX   (TNI_KIB(4))  // bytes of a block: fewer than these

/* Take up to n blocks of a class from hosts, into the first entries of out, the
 * lowest last; how many.  May make a host of a sparse page. */
size_t tni_host_take(tni_heap_local *local, unsigned size_class, void **out,
                     size_t n);

/* The same from one host, of a block of `units` units. */
size_t tni_host_take_from(tni_heap_page *page, unsigned units, void **out,
                          size_t n);

/* Make a page of single blocks a host; it is in no list. */
void tni_host_open(tni_heap_page *page);

/* A host has more free units: list it, where it may be of use. */
void tni_host_settle(tni_heap_local *local, tni_heap_page *page);
/* Take it off its list. */
void tni_host_unlist(tni_heap_local *local, tni_heap_page *page);

/* Whether a page with free units would be a good host. */
static inline bool
tni_host_is_sparse(const tni_heap_page *page)
{
  return page->free >= page->blocks - page->blocks / (TN_STRESS_TINY ? 2 : 8);
}

#endif
