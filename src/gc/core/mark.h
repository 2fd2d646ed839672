/* mark.h -- the loop that marks, for one worker or several
 *
 * A collector gives two functions that are inlined: visit, which marks what a
 * slot names and pushes it, and scan, called for each object that is popped,
 * with its size, before its fields are read.  The loop keeps a few popped
 * objects in flight, so that their memory arrives while others are read.
 *
 * Threads   each worker has its tni_marker; marking is then atomic.
 * Source    prefetch on the way out of the stack: Cher, Hosking, Vitek 2004.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_MARK_H
#define TNI_GC_MARK_H

#include "gc/core/core.h"
#include "gc/core/workers.h"

#define TNI_MARK_FLIGHT 4u    // objects in flight; a power of two
#define TNI_MARK_DONATE 256u  // objects between looks for who waits

typedef struct tni_marker {
  tn_tracer tracer;  // first
  tni_work work;
  uint64_t objects;
  uint64_t bytes;
  bool is_parallel;
} tni_marker;

typedef void tni_scan_fn(tni_marker *marker, void *object, uint64_t header,
                         size_t bytes);

static inline tni_marker *
tni_marker_of(tn_tracer *tracer)
{
  return (tni_marker *)(void *)tracer;
}

TNI_ALWAYS void
tni_marker_scan(tni_marker *marker, void *object, tni_visit_fn *visit,
                tni_scan_fn *scan)
{
  const uint64_t header = *tni_header(object);
  const size_t bytes = tni_word_bytes(header, object);
  marker->objects++;
  marker->bytes += bytes;
  if (TN_UNLIKELY(tni_word_flags(header) & TNI_FLAG_EPH_KEY))
    tni_weak_key_reached(marker->tracer.heap, object, object);
  scan(marker, object, header, bytes);
  tni_trace(&marker->tracer, tni_word_type(header), object, visit);
}

/* Scan what is on this worker's list until nothing is left there. */
TNI_ALWAYS void
tni_marker_drain(tni_marker *marker, tni_visit_fn *visit, tni_scan_fn *scan)
{
  void *flight[TNI_MARK_FLIGHT] = {NULL};
  unsigned at = 0;
  for (unsigned empty = 0; empty < TNI_MARK_FLIGHT;) {
    void *const next = tni_work_pop(&marker->work);
    void *const object = flight[at];
    flight[at] = next;
    at = (at + 1) & (TNI_MARK_FLIGHT - 1);
    if (next) {
      __builtin_prefetch(tni_header(next));
      empty = 0;
    } else {
      empty++;
    }
    if (!object)
      continue;
    empty = 0;
    tni_marker_scan(marker, object, visit, scan);
    if (marker->is_parallel && marker->objects % TNI_MARK_DONATE == 0)
      tni_work_donate(&marker->work);
  }
}

/* Add what a worker did to the heap's figures. */
void tni_marker_note(tni_marker *marker, unsigned worker);

#endif
