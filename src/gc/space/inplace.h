/* inplace.h -- marking objects where they lie
 *
 * What marksweep and a mark-region that does not move have in common: a slot's
 * object is marked, in its block or as a large one, and pushed once.
 *
 * Threads   each worker has its tni_marker; marking is then atomic.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_INPLACE_H
#define TNI_GC_INPLACE_H

#include "gc/core/core.h"
#include "gc/space/large.h"

/* Mark object; true: it was not marked. */
TNI_ALWAYS bool
tni_inplace_mark(tni_marker *marker, void *object)
{
  tn_gc *const heap = marker->tracer.heap;
  if (TN_UNLIKELY(!tni_blocks_has(&heap->blocks, tni_address(object))))
    return tni_large_mark(heap, object);
  return marker->is_parallel ? tni_mark_atomic(&heap->blocks, object)
                             : tni_mark(&heap->blocks, object);
}

TNI_ALWAYS void
tni_inplace_visit(tn_tracer *tracer, tn_ref *slot)
{
  tni_marker *const marker = tni_marker_of(tracer);
  void *const object = slot->at;
  if (object && tni_inplace_mark(marker, object))
    tni_work_push(&marker->work, object);
}

/* The same for calls through a tracer, which is a tni_marker's. */
void tni_inplace_visit_slot(tn_tracer *tracer, tn_ref *slot);
/* And of a word that may name an object. */
void tni_inplace_visit_word(tn_tracer *tracer, uintptr_t word);

#endif
