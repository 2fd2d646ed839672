/* marksweep.c -- cells of one size a block, marked in bitmaps, swept lazily
 *
 * Nothing moves.  A pause marks; sweeping happens when a mutator needs cells,
 * and blocks without any object go back when another class needs one.
 *
 * Source    McCarthy 1960; the layout is Boehm's, with marks beside the blocks.
 * Design    doc/design/gc.md      Tests  test/conform/
 */
#include "gc/core/core.h"
#include "gc/space/space.h"

static tn_status
marksweep_create(tn_gc *heap)
{
  tni_cells_init(heap->state);
  return tni_large_init(heap);
}

static bool
marksweep_attach(tni_mutator *m)
{
  m->local = tni_meta_allocate(sizeof(tni_cells_local));
  if (m->local)
    tni_cells_attach(m->local);
  return m->local != NULL;
}

static void
marksweep_detach(tni_mutator *m)
{
  tni_meta_free(m->local, sizeof(tni_cells_local));
}

static void *
marksweep_allocate_own(tni_mutator *m, size_t bytes)
{
  return tni_cells_take(m->heap, m->heap->state, m->local, bytes);
}

static void *
marksweep_allocate(tni_mutator *m, size_t bytes)
{
  return tni_cells_allocate(m->heap, m->heap->state, m->local, bytes);
}

static void
marksweep_retire(tni_mutator *m)
{
  tni_cells_retire(m->heap, m->local);
}

/* ---- Marking ----------------------------------------------------------------------- */

static void *
marksweep_find(tn_gc *heap, const uint64_t *bits, uintptr_t word)
{
  const tni_blocks *const blocks = &heap->blocks;
  if (!tni_blocks_has(blocks, word))
    return tni_large_resolve(heap, word);
  const size_t offset = word - tni_address(blocks->base);
  return blocks->kind[offset >> TNI_BLOCK_LOG2] == TNI_BLOCK_CELLS
             ? tni_find_by_bits(blocks, bits, word)
             : NULL;
}

static void *
marksweep_resolve(tn_gc *heap, uintptr_t word)
{
  return marksweep_find(
      heap, heap->is_collecting ? heap->blocks.start : heap->blocks.mark, word);
}

static void
marksweep_scan(tni_marker *marker, void *object, uint64_t header, size_t bytes)
{
  (void)marker;
  (void)object;
  (void)header;
  (void)bytes;
}

static tni_marker
marksweep_marker(tn_gc *heap)
{
  tni_marker marker = {.tracer = {.heap = heap,
                                  .visit = tni_inplace_visit_slot,
                                  .visit_word = tni_inplace_visit_word,
                                  .visit_special = tni_weak_found},
                       .is_parallel = tni_workers_count(heap) > 1};
  tni_work_init(&marker.work, &heap->pool);
  return marker;
}

static void
marksweep_work(tn_gc *heap, unsigned worker)
{
  tni_marker marker = marksweep_marker(heap);
  do {
    tni_marker_drain(&marker, tni_inplace_visit, marksweep_scan);
  } while (marker.is_parallel &&
           tni_work_idle(&marker.work, tni_workers_count(heap)));
  tni_work_fini(&marker.work);
  tni_marker_note(&marker, worker);
}

static bool
marksweep_trace_again(void *argument, tn_ref object)
{
  tni_marker *const marker = argument;
  if (!(*tni_flags(object.at) & TNI_FLAG_LARGE) ||
      tni_large_is_marked(marker->tracer.heap, object.at))
    tni_marker_scan(marker, object.at, tni_inplace_visit, marksweep_scan);
  return true;
}

static bool
marksweep_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  return tni_cells_walk(heap, fn, argument) &&
         tni_large_walk(heap, fn, argument);
}

/* Mark all that the marker's list reaches, with every worker. */
static void
marksweep_drain(tn_tracer *tracer)
{
  tni_marker *const marker = tni_marker_of(tracer);
  tn_gc *const heap = tracer->heap;
  for (;;) {
    tni_work_publish_all(&marker->work);
    tni_store_relaxed(&heap->pool.waiting, 0);
    tni_workers_run(heap, marksweep_work);
    if (!tni_load_relaxed(&heap->pool.overflow))
      return;
    tni_store_relaxed(&heap->pool.overflow, 0);
    heap->stats.worklist_overflows++;
    (void)marksweep_walk(heap, marksweep_trace_again, marker);
  }
}

/* An object that an ambiguous root names. */
static void
marksweep_hold(tn_tracer *tracer, void *object)
{
  tni_inplace_visit(tracer, &(tn_ref){object});
}

static void
marksweep_collect(tn_gc *heap, tn_gc_kind kind)
{
  (void)kind;
  const uint64_t traced = heap->stats.traced_bytes;
  tni_marker marker = marksweep_marker(heap);
  tni_blocks_clear_marks(&heap->blocks);
  tni_roots_held(&marker.tracer, marksweep_hold);
  tni_roots_visit(&marker.tracer, tni_inplace_visit_slot);
  marksweep_drain(&marker.tracer);
  tni_weak_finish(&marker.tracer, marksweep_drain);
  tni_finals_finish(&marker.tracer, false);
  tni_work_fini(&marker.work);
  tni_cells_unsweep(heap, heap->state);
  tni_large_sweep(heap, false, false);
  heap->stats.live_bytes = heap->stats.traced_bytes - traced;
  heap->stats.full_collections++;
}

static bool
marksweep_is_live(tn_gc *heap, tn_ref *ref)
{
  return tni_blocks_has(&heap->blocks, tni_address(ref->at))
             ? tni_is_marked(&heap->blocks, ref->at)
             : tni_large_is_marked(heap, ref->at);
}

const tni_collector tni_gc_marksweep = {
    .name = "marksweep",
    .state_size = sizeof(tni_cells),
    .create = marksweep_create,
    .destroy = tni_large_fini,
    .attach = marksweep_attach,
    .detach = marksweep_detach,
    .allocate = marksweep_allocate,
    .allocate_own = marksweep_allocate_own,
    .allocate_large = tni_large_allocate,
    .retire = marksweep_retire,
    .collect = marksweep_collect,
    .is_live = marksweep_is_live,
    .resolve = marksweep_resolve,
    .walk = marksweep_walk,
};
