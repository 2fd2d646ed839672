/* collect.c -- one collection from stop to restart */
#include "gc/core/core.h"

#include "event/event.h"
#include "os/os.h"

static void
collect_note_use(tn_gc *heap)
{
  const size_t used =
      tni_load_relaxed(&heap->used) + tni_load_relaxed(&heap->external);
  heap->stats.heap_bytes = used;
  if (used > heap->stats.peak_bytes)
    heap->stats.peak_bytes = used;
}

static void
collect_note_pause(tn_gc *heap, uint64_t begun)
{
  const uint64_t spent = tni_os_clock_ns() - begun;
  heap->stats.pause_ns += spent;
  if (spent > heap->stats.longest_pause_ns)
    heap->stats.longest_pause_ns = spent;
}

/* In a stopped world. */
static void
collect_stopped(tn_gc *heap, tn_gc_kind kind)
{
  const uint64_t begun = tni_os_clock_ns();
  for (tni_mutator *m = heap->mutators; m; m = m->next)
    TNI_COLLECTOR(heap)->retire(m);
  collect_note_use(heap);
  tni_event_say(TN_EVENT_COLLECT, "gc", heap, NULL,
                (size_t)heap->stats.heap_bytes);
  if (heap->options.verifies)
    (void)tni_verify(heap, "before a collection", true);
  const uint64_t full = heap->stats.full_collections;
  const uint64_t work = tni_os_clock_ns();
  heap->is_collecting = true;
  TNI_COLLECTOR(heap)->collect(heap, kind);
  heap->is_collecting = false;
  if (heap->stats.full_collections != full)
    tni_sizer_collected(heap, tni_os_clock_ns() - work);
  if (heap->options.verifies)
    (void)tni_verify(heap, "after a collection", true);
  collect_note_use(heap);
  tni_event_say(TN_EVENT_COLLECTED, "gc", heap, NULL,
                (size_t)heap->stats.heap_bytes);
  collect_note_pause(heap, begun);
}

bool
tni_collect(tni_mutator *m, tn_gc_kind kind)
{
  tn_gc *const heap = m->heap;
  tni_world_lock(heap);
  const bool is_mine = tni_world_stop(m);
  if (is_mine) {
    collect_stopped(heap, kind);
    tni_world_restart(heap);
  }
  tni_world_unlock(heap);
  return is_mine;
}

void
tn_gc_collect(tn_mutator *public, tn_gc_kind kind)
{
  tni_mutator *const m = tni_mutator_of(public);
  TNI_GC_REQUIRE(public->thread == tni_os_thread_id(), "gc.thread",
                 "a mutator is used on another thread", );
  TNI_GC_REQUIRE(!m->is_finalizing, "gc.finalizer",
                 "a finalizer asks for a collection", );
  TNI_GC_REQUIRE(m->state == TNI_RUNNING, "gc.block",
                 "a collection in a blocking region", );
  while (!tni_collect(m, kind)) {
  }
}
