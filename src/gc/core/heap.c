/* heap.c -- making and ending a heap */
#include "gc/core/core.h"

#include "gc/core/workers.h"
#include "os/os.h"

#define HEAP_DEFAULT_COLLECTOR "gen"
#define HEAP_LEAST             TNI_KIB(256)

static const struct {
  const char *name;
  unsigned bit;
} heap_stresses[] = {
    {"slow", TN_GC_STRESS_SLOW}, {"gc", TN_GC_STRESS_GC},
    {"move", TN_GC_STRESS_MOVE}, {"oom", TN_GC_STRESS_OOM},
    {"tiny", TN_GC_STRESS_TINY},
};

/* The bits that TENURE_GC_STRESS names; false: it names something else. */
static bool
heap_read_stress(const char *text, unsigned *stress)
{
  while (text && *text) {
    const char *const comma = strchr(text, ',');
    const size_t n = comma ? (size_t)(comma - text) : strlen(text);
    unsigned bit = 0;
    for (size_t i = 0; i < sizeof heap_stresses / sizeof heap_stresses[0]; i++)
      if (strlen(heap_stresses[i].name) == n &&
          memcmp(heap_stresses[i].name, text, n) == 0)
        bit = heap_stresses[i].bit;
    if (bit == 0) {
      static const char said[] = "tenure: TENURE_GC_STRESS is a list of slow, "
                                 "gc, move, oom, tiny\n";
      tni_os_write_error(said, sizeof said - 1);
      return false;
    }
    *stress |= bit;
    text = comma ? comma + 1 : NULL;
  }
  return true;
}

/* What the options leave to us, and what the environment says. */
static tn_status
heap_complete(tn_gc *heap)
{
  tn_gc_options *const o = &heap->options;
  if (!o->collector)
    o->collector = tni_os_option("TENURE_GC");
  if (!o->collector || !*o->collector)
    o->collector = HEAP_DEFAULT_COLLECTOR;
  heap->collector = tni_gc_find_collector(o->collector);
  heap->stress = o->stress;
  if (!heap->collector ||
      !heap_read_stress(tni_os_option("TENURE_GC_STRESS"), &heap->stress))
    return TN_EINVAL;
  if (o->scans_stacks && heap->collector->moves_everything) {
    static const char said[] = "tenure: this collector moves every object and "
                               "cannot scan stacks\n";
    tni_os_write_error(said, sizeof said - 1);
    return TN_ENOTSUP;
  }
  if (o->scans_stacks && !TNI_HAS_REGISTERS)
    return TN_ENOTSUP;
  if (o->heap_size == 0)
    o->heap_size = tni_os_budget() / 8;
  o->heap_size = tni_max(o->heap_size, HEAP_LEAST);
  if (o->factor == 0)
    o->factor = 2;
  if (o->workers == 0)
    o->workers = 1;
  TNI_GC_REQUIRE(o->workers <= TN_GC_WORKERS && o->factor >= 1 &&
                     o->heap_size <= SIZE_MAX / 8,
                 "gc.size", "an option of a heap is out of range", TN_EINVAL);
  return TN_OK;
}

static tn_status
heap_start(tn_gc *heap)
{
  const size_t size = heap->options.heap_size;
  /* Room beyond the limit: a collector that copies needs both places for a
   * moment, and blocks are not all full. */
  tn_status status = tni_blocks_init(
      &heap->blocks, size + size / 2 + TNI_MIB(1), heap->options.name);
  if (status == TN_OK)
    status = tni_pool_init(&heap->pool, size / 2 + TNI_MIB(4));
  if (status != TN_OK)
    return status;
  if (heap->stress & TN_GC_STRESS_TINY)
    heap->pool.most = 4;
  heap->state = tni_meta_allocate(tni_max(heap->collector->state_size, 16));
  if (!heap->state || !tni_types_init(heap))
    return TN_ENOMEM;
  tni_sizer_init(heap);
  status = heap->collector->create(heap);
  if (status == TN_OK)
    status = tni_workers_start(heap);
  return status;
}

/* Give back what heap_start made, all of it or a part. */
static void
heap_end(tn_gc *heap)
{
  tni_workers_stop(heap);
  if (heap->state) {
    heap->collector->destroy(heap);
    tni_meta_free(heap->state, tni_max(heap->collector->state_size, 16));
  }
  tni_types_free(heap);
  tni_weak_free(heap);
  tni_finals_free(heap);
  tni_vector_free(&heap->logged);
  tni_vector_free(&heap->cards);
  tni_roots_free(heap);
  tni_pool_fini(&heap->pool);
  tni_blocks_fini(&heap->blocks);
  tni_meta_free(heap, sizeof *heap);
}

tn_gc *
tn_gc_create(const tn_gc_options *options, tn_status *status)
{
  tn_status ignored;
  tn_status *const out = status ? status : &ignored;
  *out = TN_ENOMEM;
  tn_gc *const heap = tni_meta_allocate(sizeof *heap);
  if (!heap)
    return NULL;
  if (options)
    heap->options = *options;
  heap->lock.rank = TNI_RANK_GC;
  heap->weak_lock.rank = TNI_RANK_GC_FOUND;
  heap->pool.lock.rank = TNI_RANK_GC_WORK;
  heap->blocks.free = TNI_NO_BLOCK;
  *out = heap_complete(heap);
  if (*out != TN_OK) {
    tni_meta_free(heap, sizeof *heap);
    return NULL;
  }
  *out = heap_start(heap);
  if (*out == TN_OK)
    return heap;
  heap_end(heap);
  return NULL;
}

void
tn_gc_destroy(tn_gc *heap)
{
  TNI_GC_REQUIRE(!heap->mutators, "gc.attached",
                 "a heap is destroyed while a thread is attached", );
  heap_end(heap);
}

const char *
tn_gc_collector(const tn_gc *heap)
{
  return heap->collector->name;
}

void
tn_gc_get_stats(tn_gc *heap, tn_gc_stats *out)
{
  tni_world_lock(heap);
  *out = heap->stats;
  out->heap_bytes =
      tni_load_relaxed(&heap->used) + tni_load_relaxed(&heap->external);
  if (out->heap_bytes > out->peak_bytes)
    out->peak_bytes = out->heap_bytes;
  out->limit_bytes = heap->limit;
  out->logged_writes = tni_load_relaxed(&heap->logged_writes);
  out->metadata_bytes =
      (uint64_t)heap->blocks.high *
      (1 + TNI_BLOCK_LINES + TNI_BLOCK_WORDS * 16u + sizeof(tni_block_record));
  out->workers = heap->options.workers;
  tni_world_unlock(heap);
}
