/* sizer.c -- how large the heap may be before the next collection
 *
 *   fixed     heap_size
 *   growable  factor x live
 *   adaptive  live + c sqrt(live g / s): MemBalancer (Kirisame, Shenoy,
 *             Panchekha 2022), g the rate of allocation and s that of
 *             collection, both smoothed; limits as in Whippet
 * All at least what is live and SIZER_LEAST more, and at most heap_size.
 */
#include "gc/core/core.h"

#include "os/os.h"

#define SIZER_LEAST        TNI_MIB(4)
#define SIZER_SMOOTH_ALLOC 0.95
#define SIZER_SMOOTH_GC    0.5
#define SIZER_C            50000.0  // bytes: sqrt(bytes) of room a sqrt(live)
#define SIZER_FIRST_ALLOC  5.0      // bytes a nanosecond
#define SIZER_FIRST_GC     10.0
#define SIZER_MOST_FACTOR  5.0

/* sqrt without libm: Newton from above, which falls until it is there. */
static double
sizer_sqrt(double x)
{
  if (x <= 0)
    return 0;
  double r = x > 1 ? x : 1;
  double next = (r + x / r) / 2;
  while (next < r) {
    r = next;
    next = (r + x / r) / 2;
  }
  return r;
}

/* What is in use; twice that where collecting needs as much again. */
static double
sizer_live(const tn_gc *heap)
{
  const double used = (double)(tni_load_relaxed(&heap->used) +
                               tni_load_relaxed(&heap->external));
  return heap->collector->moves_everything ? 2 * used : used;
}

static void
sizer_set(tn_gc *heap, double bytes)
{
  const size_t most = heap->options.heap_size;
  heap->limit = bytes >= (double)most ? most : (size_t)bytes;
  heap->limit = tni_max(heap->limit, tni_min(most, SIZER_LEAST));
}

void
tni_sizer_init(tn_gc *heap)
{
  heap->allocation_rate = SIZER_FIRST_ALLOC;
  heap->collection_rate = SIZER_FIRST_GC;
  heap->time_at_collection = tni_os_clock_ns();
  sizer_set(heap, heap->options.sizing == TN_GC_FIXED
                      ? (double)heap->options.heap_size
                      : (double)SIZER_LEAST);
}

static void
sizer_measure(tn_gc *heap, double live, uint64_t spent_ns)
{
  const uint64_t now = tni_os_clock_ns();
  const uint64_t since = now - heap->time_at_collection;
  const uint64_t allocated =
      heap->stats.allocated_bytes - heap->allocated_at_collection;
  const double ran = (double)(since > spent_ns ? since - spent_ns : 1);
  heap->allocation_rate = SIZER_SMOOTH_ALLOC * heap->allocation_rate +
                          (1 - SIZER_SMOOTH_ALLOC) * (double)allocated / ran;
  heap->collection_rate =
      SIZER_SMOOTH_GC * heap->collection_rate +
      (1 - SIZER_SMOOTH_GC) * live / (double)(spent_ns ? spent_ns : 1);
  heap->time_at_collection = now;
  heap->allocated_at_collection = heap->stats.allocated_bytes;
}

void
tni_sizer_collected(tn_gc *heap, uint64_t spent_ns)
{
  const double live = sizer_live(heap);
  sizer_measure(heap, live, spent_ns);
  switch (heap->options.sizing) {
  case TN_GC_FIXED: break;
  case TN_GC_GROWABLE: sizer_set(heap, live * heap->options.factor); break;
  case TN_GC_ADAPTIVE: {
    const double rate = heap->collection_rate > 0
                            ? heap->allocation_rate / heap->collection_rate
                            : 1;
    const double room = sizer_sqrt(live * rate * SIZER_C);
    const double most = live * (SIZER_MOST_FACTOR - 1);
    const double least = live * 0.1 + (double)SIZER_LEAST;
    sizer_set(heap, live + (room < least ? least : room > most ? most : room));
    break;
  }
  }
}

bool
tni_sizer_grow(tn_gc *heap, size_t bytes)
{
  const size_t before = heap->limit;
  sizer_set(heap, (sizer_live(heap) + (double)bytes) * heap->options.factor);
  if (heap->limit < before)
    heap->limit = before;
  return heap->limit > before;
}
