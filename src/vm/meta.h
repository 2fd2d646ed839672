/* meta.h -- memory for our own records
 *
 * Small records (owners, tables) that live out of line, apart from user data,
 * each with its own size class of freed ones.  Never given back to the system.
 *
 * Threads   any; one lock.   Failure   NULL.
 * Tests     test/vm/test_meta.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_META_H
#define TNI_META_H

#include "base/base.h"

/* size bytes, zeroed, aligned to 16 (to the page from a page up). */
void *tni_meta_allocate(size_t size);
/* Give a record back, with the size it was asked with. */
void tni_meta_free(void *record, size_t size);

#endif
