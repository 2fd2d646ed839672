/* barrier.c -- the slow path of a write, bulk copies, identity */
#include "gc/core/core.h"

#include "os/os.h"

/* An old object is written to for the first time since the last collection:
 * note it, before the store.  [gc.logged] */
static void
barrier_log_object(tni_mutator *m, void *object)
{
  unsigned char before = TNI_LOG_OBJECT;
  if (!__atomic_compare_exchange_n(tni_logged(object), &before, 0, false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return;  // another thread notes it
  if (!tni_vector_push(&m->logged, object)) {
    *tni_logged(object) = TNI_LOG_OBJECT;
    tni_store_relaxed(&m->heap->logs_lost, 1);
  }
}

void
tni_gc_log(tn_mutator *public, tn_ref object, void *slot)
{
  tni_mutator *const m = tni_mutator_of(public);
  (void)tni_add_relaxed(&m->heap->logged_writes, 1);
  const unsigned char logged =
      __atomic_load_n(tni_logged(object.at), __ATOMIC_RELAXED);
  if (logged == TNI_LOG_SLOTS && TNI_COLLECTOR(m->heap)->log_slot)
    TNI_COLLECTOR(m->heap)->log_slot(m, slot);
  else
    barrier_log_object(m, object.at);
}

void
tni_gc_write(tn_mutator *m, tn_ref object, tn_ref *slot, tn_ref value)
{
  tni_gc_log(m, object, slot);
  __atomic_store_n(&slot->at, value.at, __ATOMIC_RELAXED);
}

void
tn_gc_copy(tn_mutator *m, tn_ref object, tn_ref *to, const tn_ref *from,
           size_t count)
{
  const unsigned char logged =
      __atomic_load_n(tni_logged(object.at), __ATOMIC_RELAXED);
  if (logged == TNI_LOG_SLOTS)
    for (size_t i = 0; i < count; i++)
      tni_gc_log(m, object, &to[i]);
  else if (logged && count)
    tni_gc_log(m, object, to);
  if (count)
    memmove(to, from, count * sizeof *to);
}

static bool
barrier_is_object(tn_gc *heap, const void *object)
{
  return TNI_COLLECTOR(heap)->resolve
             ? TNI_COLLECTOR(heap)->resolve(heap, tni_address(object)) == object
             : tni_type_is_known(heap, tni_type_of(object));
}

/* In debug builds: what a write is given must be an object, and slot in it. */
void
tni_gc_check(tn_mutator *m, tn_ref object, const void *slot, tn_ref value)
{
  TN_REQUIRE(m->thread == tni_os_thread_id(), "gc.thread",
             "a mutator is used on another thread");
  if (TN_DEBUG < 1 || !tni_mutator_of(m)->heap->options.verifies)
    return;
  TN_REQUIRE(tni_type_is_known(tni_mutator_of(m)->heap, tni_type_of(object.at)),
             "gc.root", "a write to what is no object: was it in a root?");
  TN_REQUIRE(tni_address(slot) - tni_address(object.at) < tni_bytes(object.at),
             "gc.write", "the place of a write is not in the object");
  TN_REQUIRE(!value.at || barrier_is_object(tni_mutator_of(m)->heap, value.at),
             "gc.root", "a write of what is no object: was it in a root?");
}

const tn_type *
tn_gc_type_of(tn_ref object)
{
  return &tni_type_of(object.at)->public;
}

size_t
tn_gc_size_of(tn_ref object)
{
  const uint64_t header = *tni_header(object.at);
  const tni_type *const type = tni_word_type(header);
  return type->public.size +
         (type->element_size ? tni_count(type, object.at) * type->element_size
                             : 0);
}

uint64_t
tn_gc_hash(tn_mutator *m, tn_ref object)
{
  (void)m;
  const unsigned char flags =
      __atomic_load_n(tni_flags(object.at), __ATOMIC_RELAXED);
  if (flags & TNI_FLAG_HAS_HASH) {
    uint64_t hash;
    memcpy(&hash,
           (unsigned char *)object.at + tni_bytes(object.at) - 2 * sizeof hash,
           sizeof hash);
    return hash;
  }
  if ((flags & TNI_FLAG_HASHED) == 0)
    tni_set_flag(object.at, TNI_FLAG_HASHED);
  return tni_address_hash(object.at);
}

void
tn_gc_trace(tn_tracer *tracer, tn_ref *slot)
{
  tracer->visit(tracer, slot);
}
