/* death: SIGABRT "[gc.reenter] a heap is used inside one of its own calls" modes: debug harden */
#include <pthread.h>
#include <unistd.h>

#include "death/gc_death.h"

enum { ROOTS = 2000 };  // several lists of work

static pthread_t collecting;

/* The collecting thread waits until the other takes a list. */
static void
trace(void *object, tn_tracer *tracer)
{
  tn_gc_trace(tracer, object);
  if (pthread_equal(pthread_self(), collecting))
    (void)pause();
  (void)tn_gc_handle(death_m, (tn_ref){object});
}

int
main(void)
{
  static tn_ref root[ROOTS];
  death_begin_on((tn_gc_options){.collector = "marksweep", .workers = 2});
  collecting = pthread_self();
  const tn_type *const traced = tn_gc_type(
      death_heap,
      &(tn_type_spec){
          .name = "traced", .size = sizeof(struct death_node), .trace = trace},
      NULL);
  if (tn_gc_root_add(death_heap, root, ROOTS) != TN_OK)
    return 1;
  for (int i = 0; i < ROOTS; i++)
    root[i] = TN_GC_NEW(death_m, struct death_node, traced);
  tn_gc_collect(death_m, TN_GC_FULL);
  return 0;
}
