/* meta.h -- memory for our own records
 *
 * Small records (owners, tables) that live out of line, apart from user data.
 * Sizes are rounded up to powers of two, each with its list of freed records.
 * Nothing is ever given back to the system, so that a reader without a lock
 * that still holds a record just freed reads stale bytes and never faults.
 *
 * Invariants
 *   [meta.zero]   a record is zero when handed out, new or used before.
 *   [meta.stays]  the memory of a record stays readable for ever.
 * Threads   any; one lock.
 * Failure   NULL, nothing changed.
 * Cost      O(1) and a memset; a system call each 64 KiB.
 * Design    doc/design/vm.md      Tests  test/vm/test_meta.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_META_H
#define TNI_META_H

#include "base/base.h"

/* size bytes (1 to SIZE_MAX / 2), zeroed, aligned to 16, or to the page from a
 * page up. */
void *tni_meta_allocate(size_t size);
/* Give a record back, with the size it was asked with. */
void tni_meta_free(void *record, size_t size);

#endif
