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
 *   [gen.edge]      an item of work is an object to scan, or a slot of one that
 *                   was: what is dropped is found by scanning old objects.
 * Source    Ungar 1984; en-masse promotion and a nursery that may take what is
 *           free: Appel 1989.  Promotion in place for what is pinned, and when
 *           there is no room, is ours: no reserve for copies is kept.
 * Design    doc/design/gc.md      Tests  test/conform/
 */
#include "gc/space/space.h"

#define GEN_LEAST      TNI_KIB(256)
#define GEN_MUCH       20u   // of 1,000 survive: the nursery grows
#define GEN_ALL        800u  // of 1,000: the next one promotes in place
#define GEN_LITTLE     5u    // of 1,000: it shrinks
#define GEN_FULL_SHARE 4u    // a full collection when 1/4 of its yield is left
#define GEN_EDGE       1u    // in an item of work: it is a slot, not an object

typedef struct gen_state {
  tni_lines lines;   // first
  size_t target;     // bytes that the nursery should have
  size_t least;      // const: never less, as long as there is room
  uint32_t most;     // blocks that it may have now
  uint32_t used;     // blocks that it has
  uint32_t nursery;  // list of them, through info.next
  size_t yield;      // bytes free after the last full collection
  bool is_minor;     // a minor collection runs
  bool keeps;        // nearly all survived the last one: promote in place
} gen_state;

typedef struct gen_marker {
  tni_marker marker;  // first
  tni_hole hole;
  bool keeps;         // nothing is copied
  uint64_t promoted;  // objects
  uint64_t copied;    // objects
  uint64_t copied_bytes;
} gen_marker;

static gen_state *
gen_of(tn_gc *heap)
{
  return heap->state;
}

static size_t
gen_free(const tn_gc *heap)
{
  const size_t used =
      tni_load_relaxed(&heap->used) + tni_load_relaxed(&heap->external);
  return heap->limit > used ? heap->limit - used : 0;
}

/* How much the nursery may take now. */
static void
gen_size_nursery(tn_gc *heap)
{
  gen_state *const gen = gen_of(heap);
  const size_t bytes = tni_min(gen->target, gen_free(heap) / 2);
  gen->most = (uint32_t)tni_max(bytes / TNI_BLOCK_SIZE, 1);
  gen->used = 0;
  gen->nursery = TNI_NO_BLOCK;
  heap->stats.nursery_bytes = (uint64_t)gen->most * TNI_BLOCK_SIZE;
}

static tn_status
gen_create(tn_gc *heap)
{
  gen_state *const gen = gen_of(heap);
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
  gen_state *const gen = gen_of(heap);
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

/* ---- A minor collection -------------------------------------------------------------- */

/* A young object stays where it is: its block becomes old with it. */
static void
gen_keep(gen_marker *t, void *object)
{
  tni_blocks *const blocks = &t->marker.tracer.heap->blocks;
  blocks->kind[tni_block_of(blocks, object)] = TNI_BLOCK_FROM_PINNED;
  if (tni_mark(blocks, object)) {
    t->promoted++;
    tni_work_push(&t->marker.work, object);
  }
}

static __attribute__((noinline)) void
gen_move_rare(tn_gc *heap, void *object, uint64_t header, size_t size,
              void *copy)
{
  tni_move(object, header, size, copy, TNI_LOG_OBJECT);
  if (tni_word_flags(header) & TNI_FLAG_EPH_KEY)
    tni_weak_key_reached(heap, object, copy);
}

/* Copy a young object that was not seen before to the old space; false: it
 * stays. */
TNI_ALWAYS bool
gen_copy(gen_marker *t, tn_ref *slot, uint64_t header, size_t size)
{
  tn_gc *const heap = t->marker.tracer.heap;
  void *const object = slot->at;
  const size_t bytes = tni_copy_bytes(header, size);
  void *const copy =
      t->keeps ? NULL
               : tni_lines_copy_to(heap, &gen_of(heap)->lines, &t->hole, bytes);
  if (TN_UNLIKELY(!copy)) {
    heap->stats.pinned_objects += !gen_of(heap)->keeps;
    return false;
  }
  if (TN_LIKELY(header >> TNI_FLAGS_SHIFT == 0))
    tni_move_plain(object, header, size, copy, TNI_LOG_OBJECT);
  else
    gen_move_rare(heap, object, header, size, copy);
  t->promoted++;
  t->copied++;
  t->copied_bytes += bytes;
  slot->at = copy;
  return true;
}

static void
gen_visit_large(gen_marker *t, void *object)
{
  tn_gc *const heap = t->marker.tracer.heap;
  if (tni_large_is_young(heap, object) && tni_large_mark(heap, object))
    tni_work_push(&t->marker.work, object);
}

/* Is object in the nursery?  Another young one is marked here. */
TNI_ALWAYS bool
gen_is_from(gen_marker *t, void *object)
{
  const tni_block_kind kind =
      tni_kind_of(&t->marker.tracer.heap->blocks, object);
  if (kind == TNI_BLOCK_FROM || kind == TNI_BLOCK_FROM_PINNED)
    return true;
  if (TN_UNLIKELY(kind == TNI_BLOCK_FREE))
    gen_visit_large(t, object);
  return false;
}

/* A reference in an object that is scanned: noted, with its target on its way
 * into the cache.  [gen.edge] */
TNI_ALWAYS void
gen_visit(tn_tracer *tracer, tn_ref *slot)
{
  gen_marker *const t = (gen_marker *)(void *)tracer;
  void *const object = slot->at;
  if (!object || !gen_is_from(t, object))
    return;
  __builtin_prefetch(tni_header(object));
  tni_work_push(&t->marker.work, (unsigned char *)slot + GEN_EDGE);
}

/* Follow a reference into the nursery.  True: *slot is a new copy, of size. */
TNI_ALWAYS bool
gen_follow(gen_marker *t, tn_ref *slot, uint64_t *header, size_t *size)
{
  void *const object = slot->at;
  *header = *tni_header(object);
  if (tni_is_forwarded(*header)) {
    slot->at = tni_forward_address(*header);
    return false;
  }
  const tni_blocks *const blocks = &t->marker.tracer.heap->blocks;
  if (TN_UNLIKELY(blocks->kind[tni_block_of(blocks, object)] ==
                  TNI_BLOCK_FROM_PINNED) &&
      tni_is_marked(blocks, object))
    return false;
  const tni_type *const plain = tni_plain_type(*header);
  *size = plain ? plain->plain : tni_word_bytes(*header, object);
  if (TN_LIKELY(gen_copy(t, slot, *header, *size)))
    return true;
  gen_keep(t, object);
  return false;
}

/* A reference from outside of the heap's objects: nobody would find it again
 * if the list of work dropped it. */
static void
gen_visit_slot(tn_tracer *tracer, tn_ref *slot)
{
  gen_marker *const t = (gen_marker *)(void *)tracer;
  uint64_t header;
  size_t size;
  if (slot->at && gen_is_from(t, slot->at) &&
      gen_follow(t, slot, &header, &size))
    tni_work_push(&t->marker.work, slot->at);
}

static void *
gen_resolve(tn_gc *heap, uintptr_t word)
{
  const tni_blocks *const blocks = &heap->blocks;
  if (!tni_blocks_has(blocks, word))
    return tni_large_resolve(heap, word);
  const uint32_t block =
      (uint32_t)((word - tni_address(blocks->base)) >> TNI_BLOCK_LOG2);
  unsigned char *const start = tni_block_start(blocks, block);
  switch (blocks->kind[block]) {
  case TNI_BLOCK_LINEAR:
  case TNI_BLOCK_FROM:
  case TNI_BLOCK_FROM_PINNED:
    return tni_find_in_run(start, start + TNI_BLOCK_SIZE, word);
  case TNI_BLOCK_LINES_USED:
  case TNI_BLOCK_LINES_FROM:
    /* Old objects stay in a minor collection, whoever names them. */
    return gen_of(heap)->is_minor ? NULL : tni_lines_resolve(heap, word);
  default: return NULL;
  }
}

static void
gen_hold(tn_tracer *tracer, void *object)
{
  gen_marker *const t = (gen_marker *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  const tni_block_kind kind = tni_kind_of(&heap->blocks, object);
  if (kind == TNI_BLOCK_FREE) {
    gen_visit_large(t, object);
  } else if ((kind == TNI_BLOCK_FROM || kind == TNI_BLOCK_FROM_PINNED) &&
             !tni_is_marked(&heap->blocks, object)) {
    heap->stats.pinned_objects++;
    gen_keep(t, object);
  }
}

/* Types with words that may be references keep the whole nursery in place. */
static void
gen_visit_word(tn_tracer *tracer, uintptr_t word)
{
  void *const object = gen_resolve(tracer->heap, word);
  if (object)
    gen_hold(tracer, object);
}

TNI_ALWAYS void
gen_scan(tni_marker *marker, void *object, uint64_t header, size_t bytes)
{
  const tni_blocks *const blocks = &marker->tracer.heap->blocks;
  (void)header;
  if (tni_kind_of(blocks, object) != TNI_BLOCK_FROM_PINNED)
    return;
  tni_mark_lines(blocks, object, bytes);
  *tni_logged(object) = TNI_LOG_OBJECT;
}

static bool
gen_trace_old(void *argument, tn_ref object)
{
  gen_marker *const t = argument;
  tn_gc *const heap = t->marker.tracer.heap;
  const tni_block_kind kind = tni_kind_of(&heap->blocks, object.at);
  if (kind == TNI_BLOCK_FREE && tni_large_is_young(heap, object.at) &&
      !tni_large_is_marked(heap, object.at))
    return true;
  tni_marker_scan(&t->marker, object.at, gen_visit, gen_scan);
  return true;
}

/* Every object that is old by now: the lists of logged ones are not whole, or
 * the list of work was not. */
static void
gen_trace_all_old(gen_marker *t)
{
  tn_gc *const heap = t->marker.tracer.heap;
  tni_hole_close(heap, &t->hole);
  (void)tni_lines_walk(heap, gen_trace_old, t);
  for (uint32_t b = gen_of(heap)->nursery; b != TNI_NO_BLOCK;
       b = heap->blocks.info[b].next)
    if (heap->blocks.kind[b] == TNI_BLOCK_FROM_PINNED)
      (void)tni_walk_marked(&heap->blocks, b, gen_trace_old, t);
  (void)tni_large_walk(heap, gen_trace_old, t);
}

/* An item of work. */
TNI_ALWAYS void
gen_do(gen_marker *t, void *item)
{
  if (!(tni_address(item) & GEN_EDGE)) {
    tni_marker_scan(&t->marker, item, gen_visit, gen_scan);
    return;
  }
  tn_ref *const slot = (tn_ref *)(void *)((unsigned char *)item - GEN_EDGE);
  uint64_t header;
  size_t size;
  if (!gen_follow(t, slot, &header, &size))
    return;
  t->marker.objects++;
  t->marker.bytes += size;
  tni_trace(&t->marker.tracer, tni_word_type(header), slot->at, gen_visit);
}

static void
gen_drain(tn_tracer *tracer)
{
  gen_marker *const t = (gen_marker *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  for (;;) {
    for (void *item; (item = tni_work_pop(&t->marker.work)) != NULL;)
      gen_do(t, item);
    if (!tni_load_relaxed(&heap->pool.overflow))
      return;
    tni_store_relaxed(&heap->pool.overflow, 0);
    heap->stats.worklist_overflows++;
    gen_trace_all_old(t);
  }
}

/* [gen.remember] */
/* The slots of remembered objects are followed when they are popped. */
static void
gen_visit_remembered(gen_marker *t, tni_vector *logged, tni_vector *cards)
{
  tn_tracer *const tracer = &t->marker.tracer;
  for (size_t i = 0; i < logged->count; i++) {
    void *const object = logged->at[i];
    *tni_logged(object) = TNI_LOG_OBJECT;
    tni_trace(tracer, tni_type_of(object), object, gen_visit);
  }
  for (size_t i = 0; i < cards->count; i++)
    tni_large_trace_card(tracer, cards->at[i], gen_visit_slot);
  logged->count = 0;
  cards->count = 0;
}

static void
gen_visit_all_remembered(gen_marker *t)
{
  tn_gc *const heap = t->marker.tracer.heap;
  for (tni_mutator *m = heap->mutators; m; m = m->next)
    gen_visit_remembered(t, &m->logged, &m->cards);
  gen_visit_remembered(t, &heap->logged, &heap->cards);
  if (tni_load_relaxed(&heap->logs_lost)) {
    tni_store_relaxed(&heap->logs_lost, 0);
    gen_trace_all_old(t);
  }
}

/* Pinned blocks are old ones; the others of the nursery are free, the first of
 * them the one that was first before. */
static void
gen_end_nursery(tn_gc *heap)
{
  gen_state *const gen = gen_of(heap);
  for (uint32_t next, b = gen->nursery; b != TNI_NO_BLOCK; b = next) {
    next = heap->blocks.info[b].next;
    if (heap->blocks.kind[b] == TNI_BLOCK_FROM)
      tni_space_give(heap, b);
    else
      tni_lines_adopt(heap, &gen->lines, b);
  }
  gen->nursery = TNI_NO_BLOCK;
}

static void
gen_minor(tn_gc *heap)
{
  gen_state *const gen = gen_of(heap);
  gen_marker t = {.marker = {.tracer = {.heap = heap,
                                        .visit = gen_visit_slot,
                                        .visit_word = gen_visit_word,
                                        .visit_special = tni_weak_found}},
                  .hole = {.block = TNI_NO_BLOCK},
                  .keeps = heap->has_ambiguous_fields || gen->keeps};
  tni_work_init(&t.marker.work, &heap->pool);
  gen->is_minor = true;
  gen->lines.checks_room = false;
  gen->lines.copies_anywhere = true;
  gen->lines.spare = (uint32_t)(gen_free(heap) / TNI_BLOCK_SIZE);
  for (uint32_t b = gen->nursery; b != TNI_NO_BLOCK;
       b = heap->blocks.info[b].next)
    heap->blocks.kind[b] = TNI_BLOCK_FROM;
  tni_roots_held(&t.marker.tracer, gen_hold);
  tni_roots_visit(&t.marker.tracer, gen_visit_slot);
  gen_visit_all_remembered(&t);
  gen_drain(&t.marker.tracer);
  tni_weak_finish(&t.marker.tracer, gen_drain);
  tni_finals_finish(&t.marker.tracer, true);
  tni_hole_close(heap, &t.hole);
  tni_work_fini(&t.marker.work);
  tni_marker_note(&t.marker, 0);
  heap->stats.promoted_objects += t.promoted;
  heap->stats.copied_objects += t.copied;
  heap->stats.copied_bytes += t.copied_bytes;
  gen_end_nursery(heap);
  tni_large_sweep(heap, true, true);
  gen->lines.checks_room = true;
  gen->is_minor = false;
  heap->stats.minor_collections++;
}

/* ---- When, and how much ----------------------------------------------------------------- */

static void
gen_adapt(tn_gc *heap, uint64_t promoted, uint64_t nursery)
{
  gen_state *const gen = gen_of(heap);
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
  gen_state *const gen = gen_of(heap);
  const uint64_t before = heap->stats.traced_bytes;
  const uint64_t nursery = (uint64_t)gen->used * TNI_BLOCK_SIZE;
  gen_minor(heap);
  gen_adapt(heap, heap->stats.traced_bytes - before, nursery);
  const size_t enough = tni_max(gen->yield / GEN_FULL_SHARE, 2 * GEN_LEAST);
  if (kind != TN_GC_MINOR || gen_free(heap) < enough) {
    tni_region_collect(heap, &gen->lines, kind, TNI_LOG_OBJECT);
    gen->yield = gen_free(heap);
  }
  gen_size_nursery(heap);
}

static bool
gen_is_live(tn_gc *heap, tn_ref *ref)
{
  if (!gen_of(heap)->is_minor)
    return tni_region_is_live(heap, ref);
  const uint64_t header = *tni_header(ref->at);
  switch (tni_kind_of(&heap->blocks, ref->at)) {
  case TNI_BLOCK_FREE:
    return !tni_large_is_young(heap, ref->at) ||
           tni_large_is_marked(heap, ref->at);
  case TNI_BLOCK_FROM:
  case TNI_BLOCK_FROM_PINNED:
    if (!tni_is_forwarded(header))
      return tni_is_marked(&heap->blocks, ref->at);
    ref->at = tni_forward_address(header);
    return true;
  default: return true;
  }
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
    .state_size = sizeof(gen_state),
    .create = gen_create,
    .destroy = tni_large_fini,
    .allocate = gen_allocate,
    .allocate_large = tni_large_allocate,
    .retire = tni_piece_clear,
    .collect = gen_collect,
    .is_live = gen_is_live,
    .resolve = gen_resolve,
    .walk = gen_walk,
    .log_slot = gen_log_slot,
    .is_young = gen_is_young,
};
