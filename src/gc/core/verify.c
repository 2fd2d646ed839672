/* verify.c -- is the heap what the collector thinks it is?
 *
 * A first walk notes in a set where every object begins; a second looks at each
 * reference of each object, and at every root: it must name one of them.  An
 * old object that refers to a young one must have been noted by the barrier.
 * Nothing here uses marks, lines or any other table of the collector's, but the
 * walk, which knows where objects lie.
 */
#include "gc/core/core.h"

#include "gc/core/table.h"
#include "os/os.h"

typedef struct verify_heap {
  tn_tracer tracer;  // first
  const char *when;
  tni_table objects;
  void *object;  // whose fields are looked at; NULL: roots
  size_t wrong;
  bool stops;   // at the first wrong one
  bool failed;  // no memory for the set
} verify_heap;

static bool
verify_note(void *argument, tn_ref object)
{
  verify_heap *const v = argument;
  v->failed = tni_table_put(&v->objects, object.at) == NULL;
  return !v->failed;
}

static void
verify_complain(verify_heap *v, const tn_ref *slot, const char *what)
{
  if (v->wrong++ != 0)  // [gc.verify]
    return;
  char text[256];
  size_t n;
  if (v->object)
    n = tni_format(text, sizeof text,
                   "tenure: [gc.verify] %s: offset %zu of an object of type %s "
                   "at %p %s %p",
                   v->when, tni_address(slot) - tni_address(v->object),
                   tni_type_of(v->object)->public.name, v->object, what,
                   slot->at);
  else
    n = tni_format(text, sizeof text,
                   "tenure: [gc.verify] %s: the root at %p %s %p", v->when,
                   (const void *)slot, what, slot->at);
  if (v->stops)
    tni_fatal(text);
  n += tni_format(text + n, sizeof text - n, "\n");
  tni_os_write_error(text, n);
}

static void
verify_visit(tn_tracer *tracer, tn_ref *slot)
{
  verify_heap *const v = (verify_heap *)(void *)tracer;
  tn_gc *const heap = tracer->heap;
  void *const target = slot->at;
  if (!target)
    return;
  if (tni_address(target) % TN_GC_GRANULE != 0 ||
      !tni_table_find(&v->objects, target)) {
    verify_complain(v, slot, "names no object:");
    return;
  }
  if (v->object && TNI_COLLECTOR(heap)->is_young &&
      *tni_logged(v->object) == TNI_LOG_OBJECT &&
      !tni_load_relaxed(&heap->logs_lost) &&
      TNI_COLLECTOR(heap)->is_young(heap, target))
    verify_complain(v, slot,
                    "was written without tn_gc_write: it is old and names "
                    "the young object");
}

static void
verify_special(tn_tracer *tracer, tn_ref *object)
{
  tn_ref *const field = object->at;
  const bool is_weak = tni_type_of(object->at)->shape == TNI_WEAK;
  verify_visit(tracer, &field[0]);
  if (!is_weak)
    verify_visit(tracer, &field[1]);
}

static void
verify_word(tn_tracer *tracer, uintptr_t word)
{
  (void)tracer;
  (void)word;
}

static bool
verify_object(void *argument, tn_ref object)
{
  verify_heap *const v = argument;
  v->object = object.at;
  const tni_type *const type = tni_type_of(object.at);
  if (!tni_type_is_known(v->tracer.heap, type)) {  // [gc.header]
    verify_complain(v, &(tn_ref){object.at}, "has a header that is no type");
    return false;
  }
  tni_trace(&v->tracer, type, object.at, verify_visit);
  return true;
}

size_t
tni_verify(tn_gc *heap, const char *when, bool stops)
{
  verify_heap v = {.tracer = {.heap = heap,
                              .visit = verify_visit,
                              .visit_word = verify_word,
                              .visit_special = verify_special},
                   .when = when,
                   .stops = stops};
  if (TNI_COLLECTOR(heap)->walk(heap, verify_note, &v) && !v.failed) {
    (void)TNI_COLLECTOR(heap)->walk(heap, verify_object, &v);
    v.object = NULL;
    tni_roots_visit(&v.tracer, verify_visit);
  }
  tni_table_free(&v.objects);
  return v.wrong;
}

size_t
tn_gc_verify(tn_mutator *public)
{
  tni_mutator *const m = tni_mutator_of(public);
  tni_walk_begin(m);
  const size_t wrong = tni_verify(m->heap, "when asked", false);
  tni_walk_end(m);
  return wrong;
}
