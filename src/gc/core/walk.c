/* walk.c -- every object of a heap, in a stopped world */
#include "gc/core/core.h"

#include "os/os.h"

void
tni_walk_begin(tni_mutator *m)
{
  tn_gc *const heap = m->heap;
  tni_world_lock(heap);
  while (!tni_world_stop(m)) {
  }
  for (tni_mutator *other = heap->mutators; other; other = other->next)
    TNI_COLLECTOR(heap)->retire(other);
}

void
tni_walk_end(tni_mutator *m)
{
  tni_world_restart(m->heap);
  tni_world_unlock(m->heap);
}

void
tn_gc_walk(tn_mutator *public, tn_walk_fn *fn, void *argument)
{
  tni_mutator *const m = tni_mutator_of(public);
  TNI_GC_REQUIRE(public->thread == tni_os_thread_id(), "gc.thread",
                 "a mutator is used on another thread", );
  tni_walk_begin(m);
  (void)TNI_COLLECTOR(m->heap)->walk(m->heap, fn, argument);
  tni_walk_end(m);
}
