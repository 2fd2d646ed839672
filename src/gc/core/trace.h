/* trace.h -- every reference in an object, visited by an inlined function
 *
 * Each collector's loop is one instance of tni_trace with its own visit: the
 * compiler sees both.  What a user's trace function reports, and words that
 * may be references, come through the tracer, which names the same visit.
 *
 * Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_TRACE_H
#define TNI_GC_TRACE_H

#include "gc/core/object.h"

typedef void tni_visit_fn(tn_tracer *tracer, tn_ref *slot);
typedef void tni_visit_word_fn(tn_tracer *tracer, uintptr_t word);

/* What goes with a loop over objects; a collector puts its state behind it. */
struct tn_tracer {
  tn_gc *heap;                    // const
  tni_visit_fn *visit;            // const: for calls from outside
  tni_visit_word_fn *visit_word;  // const: what an ambiguous word does
  tni_visit_fn *visit_special;    // const: weak references and ephemerons
};

#define TNI_ALWAYS static inline __attribute__((always_inline, unused))

TNI_ALWAYS void
tni_trace_map(tn_tracer *tracer, void *part, uint64_t map, tni_visit_fn *visit)
{
  tn_ref *const slots = part;
  for (; map != 0; map &= map - 1)
    visit(tracer, &slots[__builtin_ctzll(map)]);
}

/* The elements first to last - 1 of an array. */
TNI_ALWAYS void
tni_trace_elements(tn_tracer *tracer, const tni_type *type, void *object,
                   size_t first, size_t last, tni_visit_fn *visit)
{
  unsigned char *at =
      (unsigned char *)object + type->public.size + first * type->element_size;
  for (size_t i = first; i < last; i++, at += type->element_size)
    tni_trace_map(tracer, at, type->element_map, visit);
}

TNI_ALWAYS void
tni_trace_rare(tn_tracer *tracer, const tni_type *type, void *object,
               tni_visit_fn *visit)
{
  switch (type->shape) {
  case TNI_OFFSETS:
    for (uint32_t i = 0; i < type->offset_count; i++)
      visit(tracer,
            (tn_ref *)(void *)((unsigned char *)object + type->offsets[i]));
    break;
  case TNI_ARRAY:
    tni_trace_map(tracer, object, type->map, visit);
    tni_trace_elements(tracer, type, object, 0, tni_count(type, object), visit);
    break;
  case TNI_FUNCTION: type->trace(object, tracer); break;
  case TNI_AMBIGUOUS:
    tni_trace_map(tracer, object, type->map, visit);
    for (uint64_t map = type->ambiguous; map != 0; map &= map - 1)
      tracer->visit_word(tracer,
                         ((const uintptr_t *)object)[__builtin_ctzll(map)]);
    break;
  case TNI_WEAK:
  case TNI_EPHEMERON: tracer->visit_special(tracer, &(tn_ref){object}); break;
  case TNI_MAP:
  case TNI_LEAF: break;
  }
}

/* Visit every reference in object. */
TNI_ALWAYS void
tni_trace(tn_tracer *tracer, const tni_type *type, void *object,
          tni_visit_fn *visit)
{
  if (TN_LIKELY(type->shape == TNI_MAP))
    tni_trace_map(tracer, object, type->map, visit);
  else if (type->shape != TNI_LEAF)
    tni_trace_rare(tracer, type, object, visit);
}

#endif
