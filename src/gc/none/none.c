/* none.c -- the collector that never collects
 *
 * Objects are allocated until the heap is full.  It is the measure of what
 * allocation costs alone, and a good heap for programs that end soon.
 */
#include "gc/space/space.h"

static tn_status
none_create(tn_gc *heap)
{
  return tni_large_init(heap);
}

static void *
none_allocate(tni_mutator *m, size_t bytes)
{
  return tni_has_room(m->heap, TNI_BLOCK_SIZE) &&
                 tni_linear_refill(m, TNI_BLOCK_LINEAR)
             ? tni_piece_take(m, bytes)
             : NULL;
}

static void
none_collect(tn_gc *heap, tn_gc_kind kind)
{
  (void)heap;
  (void)kind;
}

static bool
none_is_live(tn_gc *heap, tn_ref *ref)
{
  (void)heap;
  (void)ref;
  return true;
}

static void *
none_resolve(tn_gc *heap, uintptr_t word)
{
  if (!tni_blocks_has(&heap->blocks, word))
    return tni_large_resolve(heap, word);
  unsigned char *const start =
      heap->blocks.base +
      tni_round_down(word - tni_address(heap->blocks.base), TNI_BLOCK_SIZE);
  return tni_find_in_run(start, start + TNI_BLOCK_SIZE, word);
}

static bool
none_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  return tni_linear_walk(heap, TNI_BLOCK_LINEAR, fn, argument) &&
         tni_large_walk(heap, fn, argument);
}

const tni_collector tni_gc_none = {
    .name = "none",
    .create = none_create,
    .destroy = tni_large_fini,
    .allocate = none_allocate,
    .allocate_large = tni_large_allocate,
    .retire = tni_piece_clear,
    .collect = none_collect,
    .is_live = none_is_live,
    .resolve = none_resolve,
    .walk = none_walk,
};
