/* mark.c -- the code of mark.h */
#include "gc/core/mark.h"

void
tni_marker_note(tni_marker *marker, unsigned worker)
{
  tn_gc *const heap = marker->tracer.heap;
  tni_os_lock_acquire(&heap->weak_lock);
  heap->stats.traced_objects += marker->objects;
  heap->stats.traced_bytes += marker->bytes;
  heap->stats.worker_objects[worker] += marker->objects;
  tni_os_lock_release(&heap->weak_lock);
  marker->objects = 0;
  marker->bytes = 0;
}
