/* gen.c -- a nursery that is bumped and copied, an old space of lines
 *
 *   nursery (linear blocks) --minor--> survivors copied to the old space's
 *   holes; what is held, or finds no room, becomes old in its block.
 *
 * An old object that is written to is logged once and is a root of the next
 * minor collection; large arrays log cards.  The nursery grows while much of it
 * survives and shrinks towards the cache while little does.  A full collection
 * empties the nursery and then collects the old space (gc/space/markregion.h).
 *
 * Invariants
 *   [gen.young]     objects in linear blocks, and large ones allocated since,
 *                   are young; a minor collection leaves none.
 *   [gen.remember]  an old object that names a young one is in a list of logged
 *                   objects or cards, or logs_lost is set.
 * Source    Ungar 1984; en-masse promotion and a nursery that may take what is
 *           free: Appel 1989.  Promotion in place for what is pinned, and when
 *           there is no room, is ours: no reserve for copies is kept.
 * Design    doc/design/gc.md      Tests  test/conform/
 */
#include "gc/gen/gen.h"

#define GEN_LEAST      TNI_KIB(256)
#define GEN_MUCH       20u   // of 1,000 survive: the nursery grows
#define GEN_ALL        800u  // of 1,000: the next one promotes in place
#define GEN_LITTLE     5u    // of 1,000: it shrinks
#define GEN_FULL_SHARE 4u    // a full collection when 1/4 of its yield is left

/* How much the nursery may take now. */
static void
gen_size_nursery(tn_gc *heap)
{
  tni_gen *const gen = tni_gen_of(heap);
  const size_t bytes = tni_min(gen->target, tni_gen_free(heap) / 2);
  gen->most = (uint32_t)tni_max(bytes / TNI_BLOCK_SIZE, 1);
  gen->used = 0;
  gen->nursery = TNI_NO_BLOCK;
  heap->stats.nursery_bytes = (uint64_t)gen->most * TNI_BLOCK_SIZE;
}

static tn_status
gen_create(tn_gc *heap)
{
  tni_gen *const gen = tni_gen_of(heap);
  tni_lines_init(&gen->lines);
  const size_t wanted = heap->options.nursery_size;
  gen->least = tni_max(wanted ? wanted : tni_os_cache_size(), GEN_LEAST);
  gen->target = gen->least;
  gen->yield = heap->limit;
  gen_size_nursery(heap);
  return tni_large_init(heap);
}

static void *
gen_allocate(tni_mutator *m, size_t bytes)
{
  tn_gc *const heap = m->heap;
  tni_gen *const gen = tni_gen_of(heap);
  if (gen->used >= gen->most || !tni_has_room(heap, TNI_BLOCK_SIZE) ||
      !tni_linear_refill(m, TNI_BLOCK_LINEAR))
    return NULL;
  const uint32_t block = tni_block_of(&heap->blocks, m->start);
  heap->blocks.info[block].next = gen->nursery;
  gen->nursery = block;
  gen->used++;
  return tni_piece_take(m, bytes);
}

static void
gen_log_slot(tni_mutator *m, void *slot)
{
  if (tni_large_dirty_card(m->heap, slot) && !tni_vector_push(&m->cards, slot))
    tni_store_relaxed(&m->heap->logs_lost, 1);
}

/* ---- When, and how much ----------------------------------------------------------------- */

static void
gen_adapt(tn_gc *heap, uint64_t promoted, uint64_t nursery)
{
  tni_gen *const gen = tni_gen_of(heap);
  if (nursery < gen->target / 2)
    return;  // it was not full
  const uint64_t share = promoted * 1000 / nursery;
  gen->keeps = share > GEN_ALL;
  if (heap->options.nursery_size)
    return;
  if (share > GEN_MUCH)
    gen->target = tni_min(2 * gen->target, heap->limit / 2);
  else if (share < GEN_LITTLE)
    gen->target = tni_max(gen->target / 4 * 3, gen->least);
}

static void
gen_collect(tn_gc *heap, tn_gc_kind kind)
{
  tni_gen *const gen = tni_gen_of(heap);
  const uint64_t before = heap->stats.traced_bytes;
  const uint64_t nursery = (uint64_t)gen->used * TNI_BLOCK_SIZE;
  tni_gen_minor(heap);
  gen_adapt(heap, heap->stats.traced_bytes - before, nursery);
  const size_t enough = tni_max(gen->yield / GEN_FULL_SHARE, 2 * GEN_LEAST);
  if (kind != TN_GC_MINOR || tni_gen_free(heap) < enough) {
    tni_region_collect(heap, &gen->lines, kind, TNI_LOG_OBJECT);
    gen->yield = tni_gen_free(heap);
  }
  gen_size_nursery(heap);
}

/* [gen.young] */
static bool
gen_is_young(tn_gc *heap, void *object)
{
  const tni_block_kind kind = tni_kind_of(&heap->blocks, object);
  return kind == TNI_BLOCK_LINEAR ||
         (kind == TNI_BLOCK_FREE && tni_large_is_young(heap, object));
}

static bool
gen_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  return tni_linear_walk(heap, TNI_BLOCK_LINEAR, fn, argument) &&
         tni_lines_walk(heap, fn, argument) &&
         tni_large_walk(heap, fn, argument);
}

const tni_collector tni_gc_gen = {
    .name = "gen",
    .has_young = true,
    .state_size = sizeof(tni_gen),
    .create = gen_create,
    .destroy = tni_large_fini,
    .allocate = gen_allocate,
    .allocate_large = tni_large_allocate,
    .retire = tni_piece_clear,
    .collect = gen_collect,
    .is_live = tni_gen_is_live,
    .resolve = tni_gen_resolve,
    .walk = gen_walk,
    .log_slot = gen_log_slot,
    .is_young = gen_is_young,
};
