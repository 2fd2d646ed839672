/* inplace.c -- the code of inplace.h */
#include "gc/space/inplace.h"

void
tni_inplace_visit_slot(tn_tracer *tracer, tn_ref *slot)
{
  tni_inplace_visit(tracer, slot);
}

void
tni_inplace_visit_word(tn_tracer *tracer, uintptr_t word)
{
  tn_gc *const heap = tracer->heap;
  tn_ref ref = {TNI_COLLECTOR(heap)->resolve(heap, word)};
  tni_inplace_visit(tracer, &ref);
}
