/* markregion.h -- a full collection of blocks of lines and large objects
 *
 * What immix and the old space of gen share: marking with workers, or, when
 * blocks are evacuated, marking and moving by one thread.
 *
 * Threads   the collecting thread, and the heap's workers when nothing moves.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_MARKREGION_H
#define TNI_GC_MARKREGION_H

#include "gc/space/lines.h"

/* Collect all.  logged is the logged byte of what survives: 0 or
 * TNI_LOG_OBJECT. */
void tni_region_collect(tn_gc *heap, tni_lines *lines, tn_gc_kind kind,
                        unsigned logged);
/* tni_collector.is_live during tni_region_collect. */
bool tni_region_is_live(tn_gc *heap, tn_ref *ref);

#endif
