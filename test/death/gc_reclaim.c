/* death: SIGABRT "[gc.reenter] a heap is used inside one of its own calls" modes: debug harden */
#include <sys/resource.h>

#include <tenure/vm.h>

#include "death/gc_death.h"

static bool
collect(void *argument, size_t bytes)
{
  (void)argument;
  (void)bytes;
  tn_gc_collect(death_m, TN_GC_FULL);
  return true;
}

int
main(void)
{
  death_begin("none", false);
  /* Too large for its tables and room to be there from the start. */
  tn_gc *const heap = tn_gc_create(
      &(tn_gc_options){.collector = "none", .heap_size = (size_t)1 << 30},
      NULL);
  tn_mutator *const m = heap ? tn_gc_attach(heap, NULL) : NULL;
  if (!m)
    return 1;
  death_m = m;
  tn_vm_set_reclaim(collect, NULL);
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
  (void)setrlimit(RLIMIT_DATA, &none);
  while (tn_gc_new_pinned(m, death_type, 0).at) {
  }
  return 0;
}
