/* death: SIGABRT "[gc.reenter] a heap is used inside one of its own calls" modes: debug harden */
#include "death/gc_death.h"

static void
trace(void *object, tn_tracer *tracer)
{
  tn_gc_trace(tracer, object);
  (void)tn_gc_handle(death_m, (tn_ref){object});
}

int
main(void)
{
  death_begin("marksweep", false);
  const tn_type *const traced = tn_gc_type(
      death_heap,
      &(tn_type_spec){
          .name = "traced", .size = sizeof(struct death_node), .trace = trace},
      NULL);
  TN_ROOTS(death_m, r, kept);
  r.kept = TN_GC_NEW(death_m, struct death_node, traced);
  tn_gc_collect(death_m, TN_GC_FULL);
  return 0;
}
