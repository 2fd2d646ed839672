/* large.h -- blocks with slices of their own
 *
 * A large block is a run of slices.  It grows into free slices behind it; when
 * it must move it gets several times its size of address space (where that is
 * plentiful), so that it moves a few times in its life, and its pages are
 * remapped, not copied.
 *
 * Invariants
 *   [large.size]  page->size bytes from the start may be used, and no other
 *                 byte of the run was ever touched since it was clean.
 * Threads   any; the heap's list is under the lock.
 * Failure   NULL, nothing changed.
 * Design    doc/design/heap.md      Tests  test/heap/test_large.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_LARGE_H
#define TNI_HEAP_LARGE_H

#include "heap/local.h"

/* A block; align may be more than a slice. */
tn_block tni_heap_large_allocate(tn_heap *heap, size_t size, size_t align,
                                 unsigned flags);
/* Free it; block is its start, anything else stops the program. */
void tni_heap_large_free(tni_heap_page *page, const void *block);
/* As tn_heap_resize. */
size_t tni_heap_large_resize(tni_heap_page *page, size_t min, size_t wanted);
/* Move to a place with room for size bytes and more; NULL: cannot be. */
void *tni_heap_large_move(tni_heap_page *page, size_t size, size_t align);

#endif
