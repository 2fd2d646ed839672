/* roots.c -- frames, handles, globals, and words that may be references */
#include "gc/core/core.h"

#include "os/os.h"

#define ROOTS_HANDLES 255u

struct tni_handles {
  tni_handles *next;
  tn_ref slot[ROOTS_HANDLES];  // a free one: the next free one, tagged
};

static _Alignas(8) char roots_none[8];  // the end of the list of free handles

/* ---- Handles: a free one holds the next one's address plus 1 --------------- */

static bool
roots_is_free(tn_ref slot)
{
  return (tni_address(slot.at) & 1) != 0;
}

static bool
roots_add_handles(tn_gc *heap)
{
  tni_handles *const chunk = tni_meta_allocate(sizeof *chunk);
  if (!chunk)
    return false;
  for (size_t i = 0; i < ROOTS_HANDLES; i++) {
    void *const next = i + 1 < ROOTS_HANDLES ? (void *)&chunk->slot[i + 1]
                                             : (void *)roots_none;
    chunk->slot[i].at = (char *)next + 1;
  }
  chunk->next = heap->handles;
  heap->handles = chunk;
  heap->free_handles = chunk->slot;
  return true;
}

tn_ref *
tn_gc_handle(tn_mutator *m, tn_ref object)
{
  tn_gc *const heap = tni_mutator_of(m)->heap;
  tni_world_lock(heap);
  tn_ref *slot = NULL;
  if (heap->free_handles || roots_add_handles(heap)) {
    slot = heap->free_handles;
    char *const next = (char *)slot->at - 1;
    heap->free_handles = next == roots_none ? NULL : (tn_ref *)(void *)next;
    *slot = object;
  }
  tni_world_unlock(heap);
  return slot;
}

void
tn_gc_handle_remove(tn_mutator *m, tn_ref *handle)
{
  if (!handle)
    return;
  TNI_GC_REQUIRE(!roots_is_free(*handle), "gc.handle",
                 "a handle is removed twice", );
  tn_gc *const heap = tni_mutator_of(m)->heap;
  tni_world_lock(heap);
  void *const next =
      heap->free_handles ? (void *)heap->free_handles : (void *)roots_none;
  handle->at = (char *)next + 1;
  heap->free_handles = handle;
  tni_world_unlock(heap);
}

/* ---- Ranges ---------------------------------------------------------------------- */

static tn_status
roots_add_pair(tn_gc *heap, tni_vector *vector, const void *low,
               const void *high)
{
  tni_world_lock(heap);
  bool ok = tni_vector_push(vector, low);
  if (ok && !tni_vector_push(vector, high)) {
    vector->count--;
    ok = false;
  }
  tni_world_unlock(heap);
  return ok ? TN_OK : TN_ENOMEM;
}

static bool
roots_remove_pair(tni_vector *vector, const void *low)
{
  for (size_t i = 0; i < vector->count; i += 2)
    if (vector->at[i] == low) {
      vector->count -= 2;
      vector->at[i] = vector->at[vector->count];
      vector->at[i + 1] = vector->at[vector->count + 1];
      return true;
    }
  return false;
}

tn_status
tn_gc_root_add(tn_gc *heap, tn_ref *roots, size_t count)
{
  return roots_add_pair(heap, &heap->roots, roots, roots + count);
}

tn_status
tn_gc_range_add(tn_gc *heap, const void *low, const void *high)
{
  return tni_roots_can_hold(heap)
             ? roots_add_pair(heap, &heap->ranges, low, high)
             : TN_ENOTSUP;
}

tn_status
tn_gc_root_remove(tn_gc *heap, const void *roots)
{
  tni_world_lock(heap);
  const bool ok = roots_remove_pair(&heap->roots, roots) ||
                  roots_remove_pair(&heap->ranges, roots);
  tni_world_unlock(heap);
  return ok ? TN_OK : TN_EINVAL;
}

static void
roots_ignore(void *argument, const void *low, const void *high)
{
  (void)argument;
  (void)low;
  (void)high;
}

tn_status
tn_gc_globals_add(tn_gc *heap)
{
  if (!tni_roots_can_hold(heap))
    return TN_ENOTSUP;
  const tn_status status = tni_os_data_ranges(true, roots_ignore, NULL);
  if (status == TN_OK) {
    tni_world_lock(heap);
    heap->scans_globals = true;
    tni_world_unlock(heap);
  }
  return status;
}

/* ---- Pins -------------------------------------------------------------------------- */

bool
tni_roots_can_hold(const tn_gc *heap)
{
  return !heap->collector->moves_everything;
}

tn_status
tn_gc_pin(tn_mutator *m, tn_ref object)
{
  tn_gc *const heap = tni_mutator_of(m)->heap;
  if (!tni_roots_can_hold(heap) &&
      (*tni_flags(object.at) & TNI_FLAG_LARGE) == 0)
    return TN_ENOTSUP;
  tni_world_lock(heap);
  const bool ok = tni_vector_push(&heap->pins, object.at);
  tni_world_unlock(heap);
  return ok ? TN_OK : TN_ENOMEM;
}

tn_status
tn_gc_unpin(tn_mutator *m, tn_ref object)
{
  tn_gc *const heap = tni_mutator_of(m)->heap;
  tni_vector *const pins = &heap->pins;
  tni_world_lock(heap);
  size_t i = pins->count;
  while (i > 0 && pins->at[i - 1] != object.at)
    i--;
  if (i > 0) {
    memmove(&pins->at[i - 1], &pins->at[i],
            (pins->count - i) * sizeof pins->at[0]);
    pins->count--;
  }
  tni_world_unlock(heap);
  return i > 0 ? TN_OK : TN_EINVAL;
}

/* ---- Coroutines ---------------------------------------------------------------------- */

tn_coroutine *
tn_gc_coroutine(tn_gc *heap, const void *low, const void *high)
{
  tn_coroutine *const c = tni_meta_allocate(sizeof *c);
  if (!c)
    return NULL;
  *c = (tn_coroutine){.low = low, .high = high, .top = high};
  tni_world_lock(heap);
  c->next = heap->coroutines;
  heap->coroutines = c;
  tni_world_unlock(heap);
  return c;
}

void
tn_gc_coroutine_remove(tn_gc *heap, tn_coroutine *coroutine)
{
  tni_world_lock(heap);
  tn_coroutine **link = &heap->coroutines;
  while (*link && *link != coroutine)
    link = &(*link)->next;
  if (*link)
    *link = coroutine->next;
  tni_world_unlock(heap);
  tni_meta_free(coroutine, sizeof *coroutine);
}

__attribute__((noinline)) void
tn_gc_switch(tn_mutator *public, tn_coroutine *from, tn_coroutine *to)
{
  tni_mutator *const m = tni_mutator_of(public);
  tn_gc *const heap = m->heap;
  if (!from)
    from = &m->own;
  if (!to)
    to = &m->own;
  tni_roots_save(m);
  tni_roots_save_caller(&m->registers, &m->stack_top,
                        __builtin_frame_address(0));
  tni_world_lock(heap);
  TNI_GC_REQUIRE(from == &m->own || from->high, "gc.coroutine",
                 "a switch from a stack that is not known", );
  if (from == &m->own)
    from->high = m->stack_base;
  from->registers = m->registers;
  from->top = m->stack_top;
  from->frames = public->frames;
  from->is_running = false;
  public->frames = to->frames;
  m->stack_base = to->high;
  to->is_running = true;
  m->coroutine = to == &m->own ? NULL : to;
  tni_world_unlock(heap);
}

/* ---- Visiting ------------------------------------------------------------------------ */

static void
roots_visit_frames(tn_tracer *tracer, tn_gc_frame *frame, tni_visit_fn *visit)
{
  for (; frame; frame = frame->previous) {
    tn_ref *const refs = (tn_ref *)(void *)(frame + 1);
    for (size_t i = 0; i < frame->count; i++)
      visit(tracer, &refs[i]);
  }
}

void
tni_roots_visit(tn_tracer *tracer, tni_visit_fn *visit)
{
  tn_gc *const heap = tracer->heap;
  for (tni_mutator *m = heap->mutators; m; m = m->next) {
    roots_visit_frames(tracer, m->public.frames, visit);
    if (m->coroutine)
      roots_visit_frames(tracer, m->own.frames, visit);
  }
  for (tn_coroutine *c = heap->coroutines; c; c = c->next)
    if (!c->is_running)
      roots_visit_frames(tracer, c->frames, visit);
  for (tni_handles *chunk = heap->handles; chunk; chunk = chunk->next)
    for (size_t i = 0; i < ROOTS_HANDLES; i++)
      if (!roots_is_free(chunk->slot[i]))
        visit(tracer, &chunk->slot[i]);
  for (size_t i = 0; i < heap->roots.count; i += 2)
    for (tn_ref *slot = heap->roots.at[i];
         slot < (tn_ref *)heap->roots.at[i + 1]; slot++)
      visit(tracer, slot);
}

/* ---- Words that may be references ----------------------------------------------------- */

typedef struct roots_scan {
  tn_tracer *tracer;
  tni_held_fn *fn;
} roots_scan;

/* Words of other functions' frames and data: the sanitizers need not watch. */
__attribute__((no_sanitize("address", "thread"), noinline)) static void
roots_scan_range(void *argument, const void *low, const void *high)
{
  const roots_scan *const scan = argument;
  tn_gc *const heap = scan->tracer->heap;
  const size_t offset = tni_address(low) % sizeof(uintptr_t);
  const unsigned char *at = low;
  if (offset != 0)
    at += sizeof(uintptr_t) - offset;
  for (; at + sizeof(uintptr_t) <= (const unsigned char *)high;
       at += sizeof(uintptr_t)) {
    const uintptr_t word = *(const uintptr_t *)(const void *)at;
    void *const object = TNI_COLLECTOR(heap)->resolve(heap, word);
    if (object)
      scan->fn(scan->tracer, object);
  }
}

static void
roots_scan_stack(roots_scan *scan, const tni_registers *registers,
                 const void *top, const void *base)
{
  roots_scan_range(scan, registers->word,
                   registers->word +
                       sizeof registers->word / sizeof registers->word[0]);
  roots_scan_range(scan, registers->frame,
                   registers->frame + registers->frame_count);
  roots_scan_range(scan, top, base);
}

/* [gc.world]: registers and tops of stacks are those of stopped threads. */
void
tni_roots_held(tn_tracer *tracer, tni_held_fn *fn)
{
  tn_gc *const heap = tracer->heap;
  roots_scan scan = {tracer, fn};
  for (size_t i = 0; i < heap->pins.count; i++)
    fn(tracer, heap->pins.at[i]);
  for (size_t i = 0; i < heap->ranges.count; i += 2)
    roots_scan_range(&scan, heap->ranges.at[i], heap->ranges.at[i + 1]);
  if (heap->scans_globals)
    (void)tni_os_data_ranges(false, roots_scan_range, &scan);
  for (tni_mutator *m = heap->mutators; m; m = m->next) {
    for (size_t i = 0; i < m->tls_count; i++)
      roots_scan_range(&scan, m->tls[i].low, m->tls[i].high);
    if (!heap->options.scans_stacks)
      continue;
    roots_scan_stack(&scan, &m->registers, m->stack_top, m->stack_base);
    if (m->coroutine)
      roots_scan_stack(&scan, &m->own.registers, m->own.top, m->own.high);
  }
  for (tn_coroutine *c = heap->coroutines; c; c = c->next)
    if (heap->options.scans_stacks && !c->is_running)
      roots_scan_stack(&scan, &c->registers, c->top, c->high);
}

static void
roots_note_local(void *argument, const void *low, const void *high)
{
  tni_mutator *const m = argument;
  if (m->tls_count < TNI_TLS_RANGES)
    m->tls[m->tls_count++] = (tni_range){low, high};
}

__attribute__((noinline)) void
tni_roots_save(tni_mutator *m)
{
  tni_registers_save(&m->registers);
  m->registers.frame_count = 0;
  m->stack_top = __builtin_frame_address(0);
  m->tls_count = 0;
  if (m->heap->scans_globals)
    (void)tni_os_data_ranges(true, roots_note_local, m);
}

__attribute__((no_sanitize("address", "thread"), noinline)) void
tni_roots_save_caller(tni_registers *r, const void **top, const void *frame)
{
  const uintptr_t *const low = __builtin_frame_address(0);
  const uintptr_t *const high = frame;
  r->frame_count = 0;
  for (const uintptr_t *w = low; w < high && r->frame_count < TNI_FRAME_WORDS;
       w++)
    r->frame[r->frame_count++] = *w;
  if (r->frame_count < TNI_FRAME_WORDS)
    r->frame[r->frame_count++] = *high;  // the caller's frame pointer
  *top = frame;
}

void
tni_roots_free(tn_gc *heap)
{
  while (heap->handles) {
    tni_handles *const chunk = heap->handles;
    heap->handles = chunk->next;
    tni_meta_free(chunk, sizeof *chunk);
  }
  while (heap->coroutines) {
    tn_coroutine *const c = heap->coroutines;
    heap->coroutines = c->next;
    tni_meta_free(c, sizeof *c);
  }
  tni_vector_free(&heap->roots);
  tni_vector_free(&heap->ranges);
  tni_vector_free(&heap->pins);
}
