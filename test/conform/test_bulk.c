/* test_bulk.c -- several MiB that live on every collector, over many blocks
 *
 *   [linear.end] [lines.hole] [lines.run] [gen.young] [gen.remember]
 *   [large.page]
 * SPDX-License-Identifier: MIT
 */
#include "conform/bulk.h"

#define ROUNDS 6u

static uint64_t bulk_least = UINT64_MAX;  // alive at the end of any heap
static tn_gc_stats bulk_sum;

static void
note(tn_gc *heap, bool collects)
{
  tn_gc_stats s;
  tn_gc_get_stats(heap, &s);
  bulk_sum.copied_bytes += s.copied_bytes;
  bulk_sum.evacuated_objects += s.evacuated_objects;
  bulk_sum.promoted_objects += s.promoted_objects;
  if (collects && s.live_bytes < bulk_least)
    bulk_least = s.live_bytes;
}

/* Replace a few parts, collect, compare; round after round. */
static void
run(bulk *b)
{
  for (size_t i = 0; i < BULK_PARTS; i++)
    bulk_replace(b, i);
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (size_t i = 0; i < BULK_PARTS / 8; i++)
      bulk_replace(b, test_random(&b->random) % BULK_PARTS);
    tn_gc_collect(b->m, (tn_gc_kind)(round % 3));
    bulk_compare(b);
  }
  tn_gc_collect(b->m, TN_GC_FULL);
  TEST(tn_gc_verify(b->m) == 0);
  bulk_compare(b);
}

static void
on(const char *collector, unsigned stress)
{
  const bool collects = strcmp(collector, "none") != 0;
  tn_gc *const heap = tn_gc_create(
      &(tn_gc_options){.collector = collector,
                       .heap_size = (size_t)(collects ? 32 : 256) << 20,
                       .nursery_size = (size_t)512 << 10,
                       .stress = stress},
      NULL);
  tn_mutator *const m = tn_gc_attach(heap, NULL);
  bulk b = {.m = m, .types = make_types(heap), .random = test_state.seed};
  TEST(tn_gc_root_add(heap, &b.index, 1) == TN_OK);
  b.index = bulk_index(&b, BULK_LEVELS);
  run(&b);
  TEST(b.refused == 0);
  note(heap, collects);
  tn_gc_detach(m);
  tn_gc_destroy(heap);
  if (test_state.failures)
    fprintf(stderr, "  in collector %s, stress %u\n", collector, stress);
}

int
main(void)
{
  (void)test_seed();
  const char *name;
  for (size_t i = 0; (name = tn_gc_collector_name(i)) != NULL; i++) {
    on(name, 0);
    on(name, TN_GC_STRESS_MOVE);
  }
  TEST(bulk_least > (uint64_t)3 << 20);
  TEST(bulk_sum.copied_bytes > (uint64_t)64 << 20);
  TEST(bulk_sum.evacuated_objects > 10000);
  TEST(bulk_sum.promoted_objects > 100000);
  if (getenv("TEST_SAY"))
    printf("live %llu copied %llu evacuated %llu promoted %llu\n",
           (unsigned long long)bulk_least,
           (unsigned long long)bulk_sum.copied_bytes,
           (unsigned long long)bulk_sum.evacuated_objects,
           (unsigned long long)bulk_sum.promoted_objects);
  return test_done();
}
