/* markregion.c -- the code of markregion.h */
#include "gc/space/markregion.h"

#include "gc/space/inplace.h"
#include "gc/space/large.h"

typedef struct markregion_marker {
  tni_marker marker;  // first
  tni_lines *lines;
  tni_hole hole;  // where copies go
} markregion_marker;

/* ---- Marking where objects lie ------------------------------------------------------ */

TNI_ALWAYS void
markregion_scan(tni_marker *marker, void *object, uint64_t header, size_t bytes)
{
  const tni_blocks *const blocks = &marker->tracer.heap->blocks;
  if (TN_LIKELY(!(tni_word_flags(header) & TNI_FLAG_LARGE)))
    tni_mark_lines(blocks, object, bytes);  // [lines.live]
}

/* ---- Moving ----------------------------------------------------------------------------- */

/* Copy an object out of its block; false: there is no room. */
static bool
markregion_move(markregion_marker *t, tn_ref *slot)
{
  tn_gc *const heap = t->marker.tracer.heap;
  void *const object = slot->at;
  const uint64_t header = *tni_header(object);
  const size_t size = tni_word_bytes(header, object);
  const size_t bytes = tni_copy_bytes(header, size);
  void *const copy = tni_lines_copy_to(heap, t->lines, &t->hole, bytes);
  if (!copy)
    return false;
  tni_move(object, header, size, copy, (unsigned)(header >> TNI_LOG_SHIFT));
  (void)tni_mark(&heap->blocks, copy);
  if (TN_UNLIKELY(tni_word_flags(header) & TNI_FLAG_EPH_KEY))
    tni_weak_key_reached(heap, object, copy);
  heap->stats.copied_objects++;
  heap->stats.copied_bytes += bytes;
  heap->stats.evacuated_objects++;
  slot->at = copy;
  return true;
}

TNI_ALWAYS void
markregion_visit_moving(tn_tracer *tracer, tn_ref *slot)
{
  markregion_marker *const t = (markregion_marker *)(void *)tracer;
  const tni_blocks *const blocks = &tracer->heap->blocks;
  void *const object = slot->at;
  if (object && tni_kind_of(blocks, object) == TNI_BLOCK_LINES_FROM &&
      !tni_is_marked(blocks, object)) {
    const uint64_t header = *tni_header(object);
    if (tni_is_forwarded(header)) {
      slot->at = tni_forward_address(header);
      return;
    }
    if (markregion_move(t, slot)) {
      tni_work_push(&t->marker.work, slot->at);
      return;
    }
    tracer->heap->stats.pinned_objects++;
  }
  tni_inplace_visit(tracer, slot);
}

static void
markregion_visit_slot_moving(tn_tracer *tracer, tn_ref *slot)
{
  markregion_visit_moving(tracer, slot);
}

/* ---- Draining -------------------------------------------------------------------------- */

static void
markregion_begin(markregion_marker *t, tn_gc *heap, tni_lines *lines,
                 bool moves)
{
  *t = (markregion_marker){
      .marker = {.tracer = {.heap = heap,
                            .visit = moves ? markregion_visit_slot_moving
                                           : tni_inplace_visit_slot,
                            .visit_word = tni_inplace_visit_word,
                            .visit_special = tni_weak_found},
                 .is_parallel = !moves && tni_workers_count(heap) > 1},
      .lines = lines,
      .hole = {.block = TNI_NO_BLOCK}};
  tni_work_init(&t->marker.work, &heap->pool);
}

static void
markregion_work(tn_gc *heap, unsigned worker)
{
  markregion_marker t;
  markregion_begin(&t, heap, NULL, false);
  do {
    tni_marker_drain(&t.marker, tni_inplace_visit, markregion_scan);
  } while (t.marker.is_parallel &&
           tni_work_idle(&t.marker.work, tni_workers_count(heap)));
  tni_work_fini(&t.marker.work);
  tni_marker_note(&t.marker, worker);
}

/* Scan what is marked once more: the list dropped some of it. */
static bool
markregion_trace_again(void *argument, tn_ref object)
{
  markregion_marker *const t = argument;
  tn_gc *const heap = t->marker.tracer.heap;
  tn_ref ref = object;
  if (!tni_region_is_live(heap, &ref) || ref.at != object.at)
    return true;
  if (t->marker.tracer.visit == tni_inplace_visit_slot)
    tni_marker_scan(&t->marker, object.at, tni_inplace_visit, markregion_scan);
  else
    tni_marker_scan(&t->marker, object.at, markregion_visit_moving,
                    markregion_scan);
  return true;
}

static bool
markregion_walk_marked(tn_gc *heap, markregion_marker *t)
{
  for (uint32_t b = 0; b < heap->blocks.high; b++)
    if (heap->blocks.kind[b] == TNI_BLOCK_LINES_USED ||
        heap->blocks.kind[b] == TNI_BLOCK_LINES_FROM)
      (void)tni_walk_marked(&heap->blocks, b, markregion_trace_again, t);
  return tni_large_walk(heap, markregion_trace_again, t);
}

static void
markregion_drain(tn_tracer *tracer)
{
  markregion_marker *const t = (markregion_marker *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  for (;;) {
    if (tracer->visit == markregion_visit_slot_moving) {
      tni_marker_drain(&t->marker, markregion_visit_moving, markregion_scan);
    } else {
      tni_work_publish_all(&t->marker.work);
      tni_store_relaxed(&heap->pool.waiting, 0);
      tni_workers_run(heap, markregion_work);
    }
    if (!tni_load_relaxed(&heap->pool.overflow))
      return;
    tni_store_relaxed(&heap->pool.overflow, 0);
    heap->stats.worklist_overflows++;
    (void)markregion_walk_marked(heap, t);
  }
}

/* What must stay is marked before anything moves. */
static void
markregion_hold(tn_tracer *tracer, void *object)
{
  tn_gc *const heap = tracer->heap;
  if (tni_kind_of(&heap->blocks, object) == TNI_BLOCK_LINES_FROM &&
      !tni_is_marked(&heap->blocks, object))
    heap->stats.pinned_objects++;
  tni_inplace_visit(tracer, &(tn_ref){object});
}

/* ---- A collection --------------------------------------------------------------------- */

static bool
markregion_resolves(const tn_gc *heap)
{
  return heap->options.scans_stacks || heap->scans_globals ||
         heap->ranges.count != 0 || heap->has_ambiguous_fields;
}

void
tni_region_collect(tn_gc *heap, tni_lines *lines, tn_gc_kind kind,
                   unsigned logged)
{
  const uint64_t traced = heap->stats.traced_bytes;
  tni_lines_prepare(heap, lines, markregion_resolves(heap));
  const bool moves =
      !heap->has_ambiguous_fields && tni_lines_choose(heap, lines, kind);
  heap->stats.compactions += moves;
  lines->checks_room = false;
  lines->copies_anywhere = false;
  markregion_marker t;
  markregion_begin(&t, heap, lines, moves);
  tni_roots_held(&t.marker.tracer, markregion_hold);
  tni_roots_visit(&t.marker.tracer, t.marker.tracer.visit);
  markregion_drain(&t.marker.tracer);
  tni_weak_finish(&t.marker.tracer, markregion_drain);
  tni_finals_finish(&t.marker.tracer, false);
  tni_hole_close(heap, &t.hole);
  tni_work_fini(&t.marker.work);
  tni_marker_note(&t.marker, 0);
  tni_lines_sweep(heap, lines);
  tni_large_sweep(heap, false, logged != 0);
  lines->checks_room = true;
  heap->stats.live_bytes = heap->stats.traced_bytes - traced;
  heap->stats.full_collections++;
}

bool
tni_region_is_live(tn_gc *heap, tn_ref *ref)
{
  const tni_block_kind kind = tni_kind_of(&heap->blocks, ref->at);
  if (kind == TNI_BLOCK_FREE)
    return tni_large_is_marked(heap, ref->at);
  if (kind == TNI_BLOCK_LINES_FROM && tni_is_forwarded(*tni_header(ref->at))) {
    ref->at = tni_forward_address(*tni_header(ref->at));
    return true;
  }
  return tni_is_marked(&heap->blocks, ref->at);
}
