/* allocate.c -- the slow paths of allocation
 *
 * The steps when memory is refused, each followed by another try: a minor
 * collection, a full one, a higher limit, a compacting one; then NULL.
 */
#include "gc/core/core.h"

#include "os/os.h"

/* Where cursor and limit stand when there is no piece: nothing fits. */
static unsigned char allocate_nowhere[TN_GC_HEADER];

#define ALLOCATE_TINY 64u  // bytes that TN_GC_STRESS_TINY hands out at once

static void
allocate_set_limit(tni_mutator *m, unsigned char *cursor)
{
  const unsigned stress = m->heap->stress;
  unsigned char *limit = m->end + TN_GC_HEADER;
  if (stress & TN_GC_STRESS_SLOW)
    limit = cursor;
  else if (stress & TN_GC_STRESS_TINY &&
           (size_t)(limit - cursor) > ALLOCATE_TINY)
    limit = cursor + ALLOCATE_TINY;
  m->public.cursor = cursor;
  m->public.limit = limit;
}

void
tni_piece_set(tni_mutator *m, unsigned char *start, unsigned char *end)
{
  m->start = start;
  m->end = end;
  allocate_set_limit(m, start + TN_GC_HEADER);
}

void *
tni_piece_take(tni_mutator *m, size_t bytes)
{
  unsigned char *const object = m->public.cursor;
  if (!m->end || bytes > (size_t)(m->end + TN_GC_HEADER - object))
    return NULL;
  allocate_set_limit(m, object + bytes);
  return object;
}

void
tni_piece_clear(tni_mutator *m)
{
  if (m->end)
    m->heap->stats.allocated_bytes +=
        (size_t)(m->public.cursor - TN_GC_HEADER - m->start);
  m->start = NULL;
  m->end = NULL;
  m->public.cursor = allocate_nowhere;
  m->public.limit = allocate_nowhere;
}

bool
tni_has_room(const tn_gc *heap, size_t bytes)
{
  size_t used = tni_load_relaxed(&heap->used);  // [gc.limit]
  return tn_size_add(used, tni_load_relaxed(&heap->external), &used) &&
         used <= heap->limit && bytes <= heap->limit - used;
}

static void *
allocate_try(tni_mutator *m, size_t bytes)
{
  tn_gc *const heap = m->heap;
  const bool is_large = bytes > TN_GC_LARGE;
  void *object = is_large ? NULL
                 : TNI_COLLECTOR(heap)->allocate_own
                     ? TNI_COLLECTOR(heap)->allocate_own(m, bytes)
                     : tni_piece_take(m, bytes);
  if (object)
    return object;
  tni_world_lock(heap);
  object = is_large ? TNI_COLLECTOR(heap)->allocate_large(m, bytes)
                    : TNI_COLLECTOR(heap)->allocate(m, bytes);
  tni_world_unlock(heap);
  return object;
}

typedef enum allocate_step {
  ALLOCATE_MINOR,
  ALLOCATE_FULL,
  ALLOCATE_GROW,
  ALLOCATE_COMPACT,
  ALLOCATE_GIVE_UP,
} allocate_step;

/* Do what may make room.  False: another thread did something meanwhile, and
 * the same step is due again when the next try fails. */
static bool
allocate_make_room(tni_mutator *m, allocate_step step, size_t bytes)
{
  tn_gc *const heap = m->heap;
  switch (step) {
  case ALLOCATE_MINOR: return tni_collect(m, TN_GC_MINOR);
  case ALLOCATE_FULL:
    return !heap->collector->has_young || tni_collect(m, TN_GC_FULL);
  case ALLOCATE_GROW:
    tni_world_lock(heap);
    (void)tni_sizer_grow(heap, bytes);
    tni_world_unlock(heap);
    return true;
  case ALLOCATE_COMPACT:
    if (!tni_collect(m, TN_GC_COMPACT))
      return false;
    tni_world_lock(heap);
    heap->stats.emergencies++;
    tni_world_unlock(heap);
    return true;
  case ALLOCATE_GIVE_UP: break;
  }
  return true;
}

static void *
allocate_memory(tni_mutator *m, size_t bytes)
{
  const unsigned stress = m->heap->stress;
  if (__atomic_load_n(&m->public.poll, __ATOMIC_RELAXED))
    tni_gc_poll(&m->public);
  if (stress & TN_GC_STRESS_GC)
    (void)tni_collect(m, TN_GC_MINOR);
  bool fails = (stress & TN_GC_STRESS_OOM) != 0;
  for (allocate_step step = ALLOCATE_MINOR;;) {
    void *const object = fails ? NULL : allocate_try(m, bytes);
    if (object || step == ALLOCATE_GIVE_UP)
      return object;
    fails = false;
    step += allocate_make_room(m, step, bytes);
  }
}

static tn_ref
allocate_object(tni_mutator *m, const tn_type *type, size_t bytes)
{
  TNI_GC_REQUIRE(m->public.thread == tni_os_thread_id(), "gc.thread",
                 "a mutator is used on another thread", TN_REF_NULL);
  TNI_GC_REQUIRE(m->state == TNI_RUNNING, "gc.block",
                 "an allocation in a blocking region", TN_REF_NULL);
  void *const object = allocate_memory(m, bytes);
  if (!object)
    return TN_REF_NULL;
  *tni_header(object) |= (uint64_t)tni_address(type);
  return (tn_ref){object};
}

tn_ref
tni_gc_new(tn_mutator *m, const tn_type *type, size_t bytes)
{
  return allocate_object(tni_mutator_of(m), type, bytes);
}

/* Bytes of an object with count elements; false when they do not fit. */
static bool
allocate_array_bytes(const tni_type *type, size_t count, size_t *bytes)
{
  return tn_size_mul(count, type->element_size, bytes) &&
         tn_size_add(*bytes, type->public.size + TN_GC_HEADER, bytes) &&
         tni_round_up_checked(tni_max(*bytes, 2 * TN_GC_GRANULE), TN_GC_GRANULE,
                              bytes) &&
         *bytes < SIZE_MAX / 2;
}

static void
allocate_set_count(const tni_type *type, tn_ref object, size_t count)
{
  if (object.at && type->element_size)
    memcpy((unsigned char *)object.at + type->count_offset, &count,
           sizeof count);
}

tn_ref
tni_gc_new_array(tn_mutator *m, const tn_type *public, size_t count)
{
  const tni_type *const type = (const tni_type *)(const void *)public;
  TNI_GC_REQUIRE(type->element_size != 0 || count == 0, "gc.size",
                 "elements of a type that has none", TN_REF_NULL);
  size_t bytes;
  if (!allocate_array_bytes(type, count, &bytes))
    return TN_REF_NULL;
  tn_ref object = TN_REF_NULL;
  if (bytes <= TN_GC_LARGE && bytes <= (size_t)(m->limit - m->cursor)) {
    object.at = m->cursor;
    m->cursor += bytes;
    *tni_header(object.at) = (uint64_t)tni_address(type);
  } else {
    object = allocate_object(tni_mutator_of(m), public, bytes);
  }
  allocate_set_count(type, object, count);
  return object;
}

tn_ref
tn_gc_new_pinned(tn_mutator *m, const tn_type *public, size_t count)
{
  const tni_type *const type = (const tni_type *)(const void *)public;
  size_t bytes;
  if (!allocate_array_bytes(type, count, &bytes))
    return TN_REF_NULL;
  const tn_ref object = allocate_object(
      tni_mutator_of(m), public, tni_max(bytes, TN_GC_LARGE + TN_GC_GRANULE));
  allocate_set_count(type, object, count);
  return object;
}

void
tni_gc_check_new(const tn_mutator *m, const tn_type *type, size_t size)
{
  TN_REQUIRE(m->thread == tni_os_thread_id(), "gc.thread",
             "a mutator is used on another thread");
  TN_REQUIRE(type->size == size, "gc.size",
             "an object is allocated with another size than its type's");
  (void)m;
  (void)type;
  (void)size;
}

void
tn_gc_external(tn_mutator *m, ptrdiff_t delta)
{
  _Atomic size_t *const external = &tni_mutator_of(m)->heap->external;
  if (delta >= 0)
    (void)tni_add_relaxed(external, (size_t)delta);
  else
    (void)tni_sub_relaxed(external, (size_t)0 - (size_t)delta);
}
