/* semi.c -- two halves: what is reached is copied to the other
 *
 *   LINEAR blocks --turn--> FROM blocks --copy--> LINEAR blocks; FROM freed
 *
 * Copies are scanned where they lie, block after block: no work list but for
 * large objects.  Everything moves, so nothing may be held in place.
 *
 * Source    Cheney 1970.  Ours has blocks instead of two contiguous halves, so
 *           that the half that is not in use costs no memory.
 * Design    doc/design/gc.md      Tests  test/conform/
 */
#include "gc/space/space.h"

typedef struct semi_tracer {
  tn_tracer tracer;  // first
  tni_linear to;
  tni_work large;
  uint32_t scan_block;  // what is copied is scanned up to here
  unsigned char *scan;
  uint64_t objects;  // scanned
  uint64_t bytes;    // copied
} semi_tracer;

/* In the worst case each copied block wastes a quarter, and each object of 16
 * bytes grows by 8: room for that is asked for before it is needed. */
static void *
semi_allocate(tni_mutator *m, size_t bytes)
{
  tn_gc *const heap = m->heap;
  const size_t live = (size_t)heap->blocks.high - heap->blocks.free_count + 1;
  const size_t copies = 2 * live + 2;
  return tni_has_room(heap, (live + 1) * TNI_BLOCK_SIZE) &&
                 tni_blocks_reserve(&heap->blocks, live + copies) &&
                 tni_linear_refill(m, TNI_BLOCK_LINEAR)
             ? tni_piece_take(m, bytes)
             : NULL;
}

TNI_ALWAYS void
semi_visit(tn_tracer *tracer, tn_ref *slot)
{
  semi_tracer *const t = (semi_tracer *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  void *const object = slot->at;
  if (!object)
    return;
  const tni_block_kind kind = tni_kind_of(&heap->blocks, object);
  if (kind != TNI_BLOCK_FROM) {
    if (kind == TNI_BLOCK_FREE && tni_large_mark(heap, object)) {
      if (tni_word_flags(*tni_header(object)) & TNI_FLAG_EPH_KEY)
        tni_weak_key_reached(heap, object, object);
      tni_work_push(&t->large, object);
    }
    return;
  }
  const uint64_t header = *tni_header(object);
  if (tni_is_forwarded(header)) {
    slot->at = tni_forward_address(header);
    return;
  }
  const size_t size = tni_word_bytes(header, object);
  const size_t bytes = tni_copy_bytes(header, size);
  void *const copy = tni_linear_take(heap, &t->to, bytes);
  if (TN_UNLIKELY(!copy))
    tni_fatal("tenure: the system took back memory for copies");
  tni_move(object, header, size, copy, 0);
  if (TN_UNLIKELY(tni_word_flags(header) & TNI_FLAG_EPH_KEY))
    tni_weak_key_reached(heap, object, copy);
  t->bytes += bytes;
  slot->at = copy;
}

static void
semi_visit_slot(tn_tracer *tracer, tn_ref *slot)
{
  semi_visit(tracer, slot);
}

static void
semi_visit_word(tn_tracer *tracer, uintptr_t word)
{
  (void)tracer;
  (void)word;  // tn_gc_type refuses types that have any
}

/* Scan copies up to the cursor. */
static void
semi_scan(semi_tracer *t)
{
  tn_gc *const heap = t->tracer.heap;
  if (t->scan_block == TNI_NO_BLOCK) {
    if (t->to.first == TNI_NO_BLOCK)
      return;
    t->scan_block = t->to.first;
    t->scan = tni_block_start(&heap->blocks, t->scan_block);
  }
  for (;;) {
    const unsigned char *const end =
        tni_linear_end(heap, &t->to, t->scan_block);
    if (t->scan == end) {
      if (t->scan_block == t->to.block)
        return;
      t->scan_block = heap->blocks.info[t->scan_block].next;
      t->scan = tni_block_start(&heap->blocks, t->scan_block);
      continue;
    }
    while (t->scan < end) {
      void *const object = t->scan + TN_GC_HEADER;
      const uint64_t header = *tni_header(object);
      t->scan += tni_word_bytes(header, object);
      t->objects++;
      tni_trace(&t->tracer, tni_word_type(header), object, semi_visit);
    }
  }
}

static bool
semi_has_more(const semi_tracer *t)
{
  return t->to.block != TNI_NO_BLOCK &&
         (t->scan_block != t->to.block || t->scan != t->to.cursor);
}

static bool
semi_trace_again(void *argument, tn_ref object)
{
  semi_tracer *const t = argument;
  if (tni_large_is_marked(t->tracer.heap, object.at))
    tni_trace(&t->tracer, tni_type_of(object.at), object.at, semi_visit);
  return true;
}

static void
semi_drain(tn_tracer *tracer)
{
  semi_tracer *const t = (semi_tracer *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  do {
    semi_scan(t);
    for (void *object; (object = tni_work_pop(&t->large)) != NULL;) {
      heap->stats.traced_objects++;
      heap->stats.traced_bytes += tni_bytes(object);
      tni_trace(tracer, tni_type_of(object), object, semi_visit);
    }
    if (tni_load_relaxed(&heap->pool.overflow)) {
      tni_store_relaxed(&heap->pool.overflow, 0);
      heap->stats.worklist_overflows++;
      (void)tni_large_walk(heap, semi_trace_again, t);
    }
  } while (semi_has_more(t));
}

/* Large objects that are pinned are kept alive. */
static void
semi_keep_pins(semi_tracer *t)
{
  tn_gc *const heap = t->tracer.heap;
  for (size_t i = 0; i < heap->pins.count; i++)
    semi_visit(&t->tracer, &(tn_ref){heap->pins.at[i]});
}

static void
semi_collect(tn_gc *heap, tn_gc_kind kind)
{
  (void)kind;
  semi_tracer t = {.tracer = {.heap = heap,
                              .visit = semi_visit_slot,
                              .visit_word = semi_visit_word,
                              .visit_special = tni_weak_found},
                   .scan_block = TNI_NO_BLOCK};
  tni_linear_begin(&t.to);
  tni_work_init(&t.large, &heap->pool);
  tni_linear_turn(heap, TNI_BLOCK_LINEAR, TNI_BLOCK_FROM);
  const uint64_t traced = heap->stats.traced_bytes;
  tni_roots_visit(&t.tracer, semi_visit_slot);
  semi_keep_pins(&t);
  semi_drain(&t.tracer);
  tni_weak_finish(&t.tracer, semi_drain);
  tni_finals_finish(&t.tracer, false);
  tni_linear_close(&t.to);
  tni_work_fini(&t.large);
  tni_linear_free(heap, TNI_BLOCK_FROM);
  tni_large_sweep(heap, false, false);
  heap->stats.copied_bytes += t.bytes;
  heap->stats.copied_objects += t.objects;
  heap->stats.traced_bytes += t.bytes;
  heap->stats.traced_objects += t.objects;
  heap->stats.live_bytes = heap->stats.traced_bytes - traced;
  heap->stats.full_collections++;
}

static bool
semi_is_live(tn_gc *heap, tn_ref *ref)
{
  switch (tni_kind_of(&heap->blocks, ref->at)) {
  case TNI_BLOCK_FREE: return tni_large_is_marked(heap, ref->at);
  case TNI_BLOCK_FROM:
    if (!tni_is_forwarded(*tni_header(ref->at)))
      return false;
    ref->at = tni_forward_address(*tni_header(ref->at));
    return true;
  default: return true;
  }
}

static bool
semi_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  return tni_linear_walk(heap, TNI_BLOCK_LINEAR, fn, argument) &&
         tni_large_walk(heap, fn, argument);
}

static tn_status
semi_create(tn_gc *heap)
{
  return tni_large_init(heap);
}

const tni_collector tni_gc_semi = {
    .name = "semi",
    .moves_everything = true,
    .create = semi_create,
    .destroy = tni_large_fini,
    .allocate = semi_allocate,
    .allocate_large = tni_large_allocate,
    .retire = tni_piece_clear,
    .collect = semi_collect,
    .is_live = semi_is_live,
    .walk = semi_walk,
};
