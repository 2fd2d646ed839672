/* death: SIGABRT "[gc.map] a type says twice" modes: debug harden */
#include "death/gc_death.h"

static void
trace(void *object, tn_tracer *tracer)
{
  tn_gc_trace(tracer, object);
}

int
main(void)
{
  death_begin("semi", false);
  const tn_type_spec spec = {
      .name = "twice", .size = 8, .map = 1, .trace = trace};
  (void)tn_gc_type(death_heap, &spec, NULL);
  return 0;
}
