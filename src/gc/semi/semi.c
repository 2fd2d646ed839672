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

/* A reference to what does not move. */
static __attribute__((noinline)) void
semi_visit_other(semi_tracer *t, void *object)
{
  tn_gc *const heap = t->tracer.heap;
  if (tni_kind_of(&heap->blocks, object) != TNI_BLOCK_FREE ||
      !tni_large_mark(heap, object))
    return;
  if (tni_word_flags(*tni_header(object)) & TNI_FLAG_EPH_KEY)
    tni_weak_key_reached(heap, object, object);
  tni_work_push(&t->large, object);
}

/* Copy an object. */
static __attribute__((noinline)) void *
semi_copy(semi_tracer *t, void *object, uint64_t header)
{
  tn_gc *const heap = t->tracer.heap;
  const size_t size = tni_word_bytes(header, object);
  void *const copy =
      tni_linear_take(heap, &t->to, tni_copy_bytes(header, size));
  if (TN_UNLIKELY(!copy))
    tni_fatal("tenure: the system took back memory for copies");
  tni_move(object, header, size, copy, 0);
  if (TN_UNLIKELY(tni_word_flags(header) & TNI_FLAG_EPH_KEY))
    tni_weak_key_reached(heap, object, copy);
  return copy;
}

static void
semi_visit(tn_tracer *tracer, tn_ref *slot)
{
  semi_tracer *const t = (semi_tracer *)(void *)tracer;
  void *const object = slot->at;
  if (!object)
    return;
  if (tni_kind_of(&tracer->heap->blocks, object) != TNI_BLOCK_FROM) {
    semi_visit_other(t, object);
    return;
  }
  const uint64_t header = *tni_header(object);
  slot->at = tni_is_forwarded(header) ? tni_forward_address(header)
                                      : semi_copy(t, object, header);
}

/* What scanning plain objects needs, in registers. */
typedef struct semi_fast {
  const unsigned char *kind;
  uintptr_t base;
  size_t reach;
  unsigned char *cursor;  // of t->to
  unsigned char *end;
} semi_fast;

/* semi_visit, where the usual things need no call. */
TNI_ALWAYS void
semi_visit_fast(semi_tracer *t, semi_fast *f, tn_ref *slot)
{
  void *const object = slot->at;
  if (!object)
    return;
  const size_t offset = tni_address(object) - f->base;
  if (TN_LIKELY(offset < f->reach &&
                f->kind[offset >> TNI_BLOCK_LOG2] == TNI_BLOCK_FROM)) {
    const uint64_t header = *tni_header(object);
    if (tni_is_forwarded(header)) {
      slot->at = tni_forward_address(header);
      return;
    }
    const tni_type *const type = tni_plain_type(header);
    if (TN_LIKELY(type && type->plain <= (size_t)(f->end - f->cursor))) {
      unsigned char *const copy = f->cursor + TN_GC_HEADER;
      f->cursor += type->plain;
      tni_move_plain(object, header, type->plain, copy, 0);
      slot->at = copy;
      return;
    }
  }
  t->to.cursor = f->cursor;
  semi_visit(&t->tracer, slot);
  f->cursor = t->to.cursor;
  f->end = t->to.end;
}

static void
semi_visit_word(tn_tracer *tracer, uintptr_t word)
{
  (void)tracer;
  (void)word;  // tn_gc_type refuses types that have any
}

/* Scan copies side by side; where they end. */
static unsigned char *
semi_scan_run(semi_tracer *t, unsigned char *scan, const unsigned char *end)
{
  const tni_blocks *const blocks = &t->tracer.heap->blocks;
  semi_fast f = {blocks->kind, tni_address(blocks->base), blocks->reach,
                 t->to.cursor, t->to.end};
  uint64_t objects = 0;
  for (; scan < end; objects++) {
    void *const object = scan + TN_GC_HEADER;
    const uint64_t header = *tni_header(object);
    const tni_type *const type = tni_plain_type(header);
    if (TN_LIKELY(type != NULL)) {
      scan += type->plain;
      for (uint64_t map = type->map; map != 0; map &= map - 1)
        semi_visit_fast(t, &f, (tn_ref *)object + __builtin_ctzll(map));
      continue;
    }
    scan += tni_word_bytes(header, object);
    t->to.cursor = f.cursor;
    tni_trace(&t->tracer, tni_word_type(header), object, semi_visit);
    f.cursor = t->to.cursor;
    f.end = t->to.end;
  }
  t->to.cursor = f.cursor;
  t->objects += objects;
  return scan;
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
    t->scan = semi_scan_run(t, t->scan, end);
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
                              .visit = semi_visit,
                              .visit_word = semi_visit_word,
                              .visit_special = tni_weak_found},
                   .scan_block = TNI_NO_BLOCK};
  tni_linear_begin(&t.to);
  tni_work_init(&t.large, &heap->pool);
  tni_linear_turn(heap, TNI_BLOCK_LINEAR, TNI_BLOCK_FROM);
  const uint64_t traced = heap->stats.traced_bytes;
  tni_roots_visit(&t.tracer, semi_visit);
  semi_keep_pins(&t);
  semi_drain(&t.tracer);
  tni_weak_finish(&t.tracer, semi_drain);
  tni_finals_finish(&t.tracer, false);
  tni_linear_close(&t.to);
  tni_work_fini(&t.large);
  tni_linear_free(heap, TNI_BLOCK_FROM);
  tni_large_sweep(heap, false, false);
  const uint64_t bytes = tni_linear_bytes(heap, &t.to);
  heap->stats.copied_bytes += bytes;
  heap->stats.copied_objects += t.objects;
  heap->stats.traced_bytes += bytes;
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
