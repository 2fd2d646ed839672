/* immix.c -- mark-region, with evacuation when blocks are loose
 *
 * Allocation bumps into holes of partly used blocks; a collection marks
 * objects and lines, and moves the objects of the emptiest blocks out of them
 * when that is worth it.  What an ambiguous root or a pin names is marked
 * before anything moves, and so stays.
 *
 * Source    Blackburn, McKinley 2008; gc/space/lines.h says what is ours.
 * Design    doc/design/gc.md      Tests  test/conform/
 */
#include "gc/space/space.h"

static tn_status
immix_create(tn_gc *heap)
{
  tni_lines_init(heap->state);
  return tni_large_init(heap);
}

static bool
immix_attach(tni_mutator *m)
{
  m->local = tni_meta_allocate(sizeof(tni_holes));
  if (m->local)
    tni_holes_init(m->local);
  return m->local != NULL;
}

static void
immix_detach(tni_mutator *m)
{
  tni_meta_free(m->local, sizeof(tni_holes));
}

static void *
immix_allocate(tni_mutator *m, size_t bytes)
{
  return tni_lines_allocate(m, m->heap->state, m->local, bytes);
}

static void
immix_retire(tni_mutator *m)
{
  tni_lines_retire(m, m->local);
}

static void
immix_collect(tn_gc *heap, tn_gc_kind kind)
{
  tni_region_collect(heap, heap->state, kind, 0);
}

static void *
immix_resolve(tn_gc *heap, uintptr_t word)
{
  return tni_blocks_has(&heap->blocks, word) ? tni_lines_resolve(heap, word)
                                             : tni_large_resolve(heap, word);
}

static bool
immix_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  return tni_lines_walk(heap, fn, argument) &&
         tni_large_walk(heap, fn, argument);
}

const tni_collector tni_gc_immix = {
    .name = "immix",
    .state_size = sizeof(tni_lines),
    .create = immix_create,
    .destroy = tni_large_fini,
    .attach = immix_attach,
    .detach = immix_detach,
    .allocate = immix_allocate,
    .allocate_large = tni_large_allocate,
    .retire = immix_retire,
    .collect = immix_collect,
    .is_live = tni_region_is_live,
    .resolve = immix_resolve,
    .walk = immix_walk,
};
