/* large.h -- objects above TN_GC_LARGE, each in pages of its own
 *
 *   page table: for each page of the reservation the object in it, plus 1
 *   cards:      one byte each 512 bytes: written to since it was scanned
 *
 * They never move.  First fit, lowest address first, so that what is in use
 * stays near the start.  A freed object's pages go back to the system and are
 * zero when used again.
 *
 * Invariants
 *   [large.page]  the pages of an object name it, those of none are 0.
 *   [large.zero]  memory handed out is zero.
 * Threads   the heap's lock; marking is atomic.
 * Failure   NULL, nothing changed.
 * Design    doc/design/gc.md      Tests  test/gc/test_large.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_LARGE_H
#define TNI_GC_LARGE_H

#include "gc/core/core.h"

#define TNI_CARD_LOG2 9u

tn_status tni_large_init(tn_gc *heap);
void tni_large_fini(tn_gc *heap);
/* tni_collector.allocate_large of every collector. */
void *tni_large_allocate(tni_mutator *m, size_t bytes);

/* Is it one of ours?  object may be any object of the heap. */
bool tni_large_has(const tn_gc *heap, const void *object);
/* Mark; true: it was not marked. */
bool tni_large_mark(tn_gc *heap, void *object);
bool tni_large_is_marked(const tn_gc *heap, const void *object);
/* Allocated since the last collection? */
bool tni_large_is_young(const tn_gc *heap, const void *object);
/* Free what is not marked (of the young only, when young); the rest is old and
 * not marked.  With logs the logged byte of each is set for the barrier. */
void tni_large_sweep(tn_gc *heap, bool young, bool logs);
void *tni_large_resolve(const tn_gc *heap, uintptr_t word);
bool tni_large_walk(tn_gc *heap, tn_walk_fn *fn, void *argument);

/* Note a write to a slot of a large array whose cards are watched; false: its
 * card was noted before. */
bool tni_large_dirty_card(tn_gc *heap, const void *slot);
/* Visit the references of the card at start, and clean it. */
void tni_large_trace_card(tn_tracer *tracer, void *start, tni_visit_fn *visit);

#endif
