/* minor.c -- a collection of the nursery
 *
 * What is young and reached is copied to the old space's holes, or kept where it
 * is, and then scanned.  Scanning pushes slots; each is followed when it is
 * popped.
 *
 * Invariants
 *   [gen.edge]      an item of work is an object to scan, or a slot of one that
 *                   was: what is dropped is found by scanning old objects.
 * Source    Ungar 1984; prefetching what slots name: Cher, Hosking, Vitek 2004.
 * Design    doc/design/gc.md      Tests  test/conform/, test/gc/test_barrier.c
 */
#include "gc/gen/gen.h"

#define MINOR_EDGE 1u  // in an item of work: it is a slot, not an object

typedef struct minor_marker {
  tni_marker marker;  // first
  tni_hole hole;
  bool keeps;         // nothing is copied
  uint64_t promoted;  // objects
  uint64_t copied;    // objects
  uint64_t copied_bytes;
} minor_marker;

/* A young object stays where it is: its block becomes old with it. */
static void
minor_keep(minor_marker *t, void *object)
{
  tni_blocks *const blocks = &t->marker.tracer.heap->blocks;
  blocks->kind[tni_block_of(blocks, object)] = TNI_BLOCK_FROM_PINNED;
  if (tni_mark(blocks, object)) {
    t->promoted++;
    tni_work_push(&t->marker.work, object);
  }
}

static __attribute__((noinline)) void
minor_move_rare(tn_gc *heap, void *object, uint64_t header, size_t size,
                void *copy)
{
  tni_move(object, header, size, copy, TNI_LOG_OBJECT);
  if (tni_word_flags(header) & TNI_FLAG_EPH_KEY)
    tni_weak_key_reached(heap, object, copy);
}

/* Copy a young object that was not seen before to the old space; false: it
 * stays. */
TNI_ALWAYS bool
minor_copy(minor_marker *t, tn_ref *slot, uint64_t header, size_t size)
{
  tn_gc *const heap = t->marker.tracer.heap;
  void *const object = slot->at;
  const size_t bytes = tni_copy_bytes(header, size);
  void *const copy =
      t->keeps
          ? NULL
          : tni_lines_copy_to(heap, &tni_gen_of(heap)->lines, &t->hole, bytes);
  if (TN_UNLIKELY(!copy)) {
    heap->stats.pinned_objects += !tni_gen_of(heap)->keeps;
    return false;
  }
  if (TN_LIKELY(header >> TNI_FLAGS_SHIFT == 0))
    tni_move_plain(object, header, size, copy, TNI_LOG_OBJECT);
  else
    minor_move_rare(heap, object, header, size, copy);
  t->promoted++;
  t->copied++;
  t->copied_bytes += bytes;
  slot->at = copy;
  return true;
}

static void
minor_visit_large(minor_marker *t, void *object)
{
  tn_gc *const heap = t->marker.tracer.heap;
  if (tni_large_is_young(heap, object) && tni_large_mark(heap, object))
    tni_work_push(&t->marker.work, object);
}

/* Is object in the nursery?  Another young one is marked here. */
TNI_ALWAYS bool
minor_is_from(minor_marker *t, void *object)
{
  const tni_block_kind kind =
      tni_kind_of(&t->marker.tracer.heap->blocks, object);
  if (kind == TNI_BLOCK_FROM || kind == TNI_BLOCK_FROM_PINNED)
    return true;
  if (TN_UNLIKELY(kind == TNI_BLOCK_FREE))
    minor_visit_large(t, object);
  return false;
}

/* A reference in an object that is scanned: noted, with its target on its way
 * into the cache.  [gen.edge] */
TNI_ALWAYS void
minor_visit(tn_tracer *tracer, tn_ref *slot)
{
  minor_marker *const t = (minor_marker *)(void *)tracer;
  void *const object = slot->at;
  if (!object || !minor_is_from(t, object))
    return;
  __builtin_prefetch(tni_header(object));
  tni_work_push(&t->marker.work, (unsigned char *)slot + MINOR_EDGE);
}

/* Follow a reference into the nursery.  True: *slot is a new copy, of size. */
TNI_ALWAYS bool
minor_follow(minor_marker *t, tn_ref *slot, uint64_t *header, size_t *size)
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
  if (TN_LIKELY(minor_copy(t, slot, *header, *size)))
    return true;
  minor_keep(t, object);
  return false;
}

/* A reference from outside of the heap's objects: nobody would find it again
 * if the list of work dropped it. */
static void
minor_visit_slot(tn_tracer *tracer, tn_ref *slot)
{
  minor_marker *const t = (minor_marker *)(void *)tracer;
  uint64_t header;
  size_t size;
  if (slot->at && minor_is_from(t, slot->at) &&
      minor_follow(t, slot, &header, &size))
    tni_work_push(&t->marker.work, slot->at);
}

void *
tni_gen_resolve(tn_gc *heap, uintptr_t word)
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
    return tni_gen_of(heap)->is_minor ? NULL : tni_lines_resolve(heap, word);
  default: return NULL;
  }
}

static void
minor_hold(tn_tracer *tracer, void *object)
{
  minor_marker *const t = (minor_marker *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  const tni_block_kind kind = tni_kind_of(&heap->blocks, object);
  if (kind == TNI_BLOCK_FREE) {
    minor_visit_large(t, object);
  } else if ((kind == TNI_BLOCK_FROM || kind == TNI_BLOCK_FROM_PINNED) &&
             !tni_is_marked(&heap->blocks, object)) {
    heap->stats.pinned_objects++;
    minor_keep(t, object);
  }
}

/* Types with words that may be references keep the whole nursery in place. */
static void
minor_visit_word(tn_tracer *tracer, uintptr_t word)
{
  void *const object = tni_gen_resolve(tracer->heap, word);
  if (object)
    minor_hold(tracer, object);
}

TNI_ALWAYS void
minor_scan(tni_marker *marker, void *object, uint64_t header, size_t bytes)
{
  const tni_blocks *const blocks = &marker->tracer.heap->blocks;
  (void)header;
  if (tni_kind_of(blocks, object) != TNI_BLOCK_FROM_PINNED)
    return;
  tni_mark_lines(blocks, object, bytes);
  *tni_logged(object) = TNI_LOG_OBJECT;
}

static bool
minor_trace_old(void *argument, tn_ref object)
{
  minor_marker *const t = argument;
  tn_gc *const heap = t->marker.tracer.heap;
  const tni_block_kind kind = tni_kind_of(&heap->blocks, object.at);
  if (kind == TNI_BLOCK_FREE && tni_large_is_young(heap, object.at) &&
      !tni_large_is_marked(heap, object.at))
    return true;
  tni_marker_scan(&t->marker, object.at, minor_visit, minor_scan);
  return true;
}

/* Every object that is old by now: the lists of logged ones are not whole, or
 * the list of work was not. */
static void
minor_trace_all_old(minor_marker *t)
{
  tn_gc *const heap = t->marker.tracer.heap;
  tni_hole_close(heap, &t->hole);
  (void)tni_lines_walk(heap, minor_trace_old, t);
  for (uint32_t b = tni_gen_of(heap)->nursery; b != TNI_NO_BLOCK;
       b = heap->blocks.info[b].next)
    if (heap->blocks.kind[b] == TNI_BLOCK_FROM_PINNED)
      (void)tni_walk_marked(&heap->blocks, b, minor_trace_old, t);
  (void)tni_large_walk(heap, minor_trace_old, t);
}

/* An item of work. */
TNI_ALWAYS void
minor_do(minor_marker *t, void *item)
{
  if (!(tni_address(item) & MINOR_EDGE)) {
    tni_marker_scan(&t->marker, item, minor_visit, minor_scan);
    return;
  }
  tn_ref *const slot = (tn_ref *)(void *)((unsigned char *)item - MINOR_EDGE);
  uint64_t header;
  size_t size;
  if (!minor_follow(t, slot, &header, &size))
    return;
  t->marker.objects++;
  t->marker.bytes += size;
  tni_trace(&t->marker.tracer, tni_word_type(header), slot->at, minor_visit);
}

static void
minor_drain(tn_tracer *tracer)
{
  minor_marker *const t = (minor_marker *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  for (;;) {
    for (void *item; (item = tni_work_pop(&t->marker.work)) != NULL;)
      minor_do(t, item);
    if (!tni_load_relaxed(&heap->pool.overflow))
      return;
    tni_store_relaxed(&heap->pool.overflow, 0);
    heap->stats.worklist_overflows++;
    minor_trace_all_old(t);
  }
}

/* The slots of remembered objects are followed when they are popped.
 * [gen.remember] */
static void
minor_visit_remembered(minor_marker *t, tni_vector *logged, tni_vector *cards)
{
  tn_tracer *const tracer = &t->marker.tracer;
  for (size_t i = 0; i < logged->count; i++) {
    void *const object = logged->at[i];
    *tni_logged(object) = TNI_LOG_OBJECT;
    tni_trace(tracer, tni_type_of(object), object, minor_visit);
  }
  for (size_t i = 0; i < cards->count; i++)
    tni_large_trace_card(tracer, cards->at[i], minor_visit_slot);
  logged->count = 0;
  cards->count = 0;
}

static void
minor_visit_all_remembered(minor_marker *t)
{
  tn_gc *const heap = t->marker.tracer.heap;
  for (tni_mutator *m = heap->mutators; m; m = m->next)
    minor_visit_remembered(t, &m->logged, &m->cards);
  minor_visit_remembered(t, &heap->logged, &heap->cards);
  if (tni_load_relaxed(&heap->logs_lost)) {
    tni_store_relaxed(&heap->logs_lost, 0);
    minor_trace_all_old(t);
  }
}

/* Pinned blocks are old ones; the others of the nursery are free, the first of
 * them the one that was first before. */
static void
minor_end_nursery(tn_gc *heap)
{
  tni_gen *const gen = tni_gen_of(heap);
  for (uint32_t next, b = gen->nursery; b != TNI_NO_BLOCK; b = next) {
    next = heap->blocks.info[b].next;
    if (heap->blocks.kind[b] == TNI_BLOCK_FROM)
      tni_space_give(heap, b);
    else
      tni_lines_adopt(heap, &gen->lines, b);
  }
  gen->nursery = TNI_NO_BLOCK;
}

void
tni_gen_minor(tn_gc *heap)
{
  tni_gen *const gen = tni_gen_of(heap);
  minor_marker t = {.marker = {.tracer = {.heap = heap,
                                          .visit = minor_visit_slot,
                                          .visit_word = minor_visit_word,
                                          .visit_special = tni_weak_found}},
                    .hole = {.block = TNI_NO_BLOCK},
                    .keeps = heap->has_ambiguous_fields || gen->keeps};
  tni_work_init(&t.marker.work, &heap->pool);
  gen->is_minor = true;
  gen->lines.checks_room = false;
  gen->lines.copies_anywhere = true;
  gen->lines.spare = (uint32_t)(tni_gen_free(heap) / TNI_BLOCK_SIZE);
  for (uint32_t b = gen->nursery; b != TNI_NO_BLOCK;
       b = heap->blocks.info[b].next)
    heap->blocks.kind[b] = TNI_BLOCK_FROM;
  tni_roots_held(&t.marker.tracer, minor_hold);
  tni_roots_visit(&t.marker.tracer, minor_visit_slot);
  minor_visit_all_remembered(&t);
  minor_drain(&t.marker.tracer);
  tni_weak_finish(&t.marker.tracer, minor_drain);
  tni_finals_finish(&t.marker.tracer, true);
  tni_hole_close(heap, &t.hole);
  tni_work_fini(&t.marker.work);
  tni_marker_note(&t.marker, 0);
  heap->stats.promoted_objects += t.promoted;
  heap->stats.copied_objects += t.copied;
  heap->stats.copied_bytes += t.copied_bytes;
  minor_end_nursery(heap);
  tni_large_sweep(heap, true, true);
  gen->lines.checks_room = true;
  gen->is_minor = false;
  heap->stats.minor_collections++;
}

bool
tni_gen_is_live(tn_gc *heap, tn_ref *ref)
{
  if (!tni_gen_of(heap)->is_minor)
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
