/* test_bulk.c -- several MiB that live on every collector, over many blocks
 *
 * And less of it on every kind of root, in every stress mode.
 *
 *   [linear.end] [lines.hole] [lines.run] [gen.young] [gen.remember]
 *   [large.page]
 * SPDX-License-Identifier: MIT
 */
#include "conform/bulk.h"

#define MATRIX_LEVELS 3u

static uint64_t bulk_least = UINT64_MAX;  // alive at the end of any large heap
static tn_gc_stats bulk_sum;

static void
note(tn_gc *heap, bool is_large)
{
  tn_gc_stats s;
  tn_gc_get_stats(heap, &s);
  bulk_sum.copied_bytes += s.copied_bytes;
  bulk_sum.evacuated_objects += s.evacuated_objects;
  bulk_sum.promoted_objects += s.promoted_objects;
  if (is_large && s.live_bytes < bulk_least)
    bulk_least = s.live_bytes;
}

/* Replace a few parts, collect, compare; round after round. */
static void
run(bulk *b, unsigned rounds)
{
  *b->index = bulk_index(b, b->levels);
  for (size_t i = 0; i < bulk_parts(b); i++)
    bulk_replace(b, i);
  for (unsigned round = 0; round < rounds; round++) {
    for (size_t i = 0; i < bulk_parts(b) / 8; i++)
      bulk_replace(b, test_random(&b->random) % bulk_parts(b));
    tn_gc_collect(b->m, (tn_gc_kind)(round % 3));
    bulk_compare(b);
  }
  tn_gc_collect(b->m, TN_GC_FULL);
  TEST(tn_gc_verify(b->m) == 0);
  bulk_compare(b);
  TEST(b->refused == 0);
}

/* Large and small objects in turn, each reached through the one before only. */
static void
ladder(bulk *b)
{
  enum { RUNGS = 24, COUNT = 1200 };
  TN_ROOTS(b->m, r, top, object);
  for (unsigned i = 0; i < RUNGS; i++) {
    r.object = i % 2 ? tn_gc_new_array(b->m, b->types.of[TABLE], COUNT)
                     : tn_gc_new(b->m, b->types.of[PAIR]);
    if (!TEST(r.object.at != NULL))
      return;
    *id_of(&b->types, r.object) = i;
    tn_gc_write(b->m, r.object, slot_of(&b->types, r.object, 1), r.top);
    r.top = r.object;
  }
  for (unsigned k = TN_GC_MINOR; k <= TN_GC_COMPACT; k++)
    tn_gc_collect(b->m, (tn_gc_kind)k);
  for (unsigned i = RUNGS; i-- > 0;) {
    if (!TEST(r.top.at != NULL && *id_of(&b->types, r.top) == i))
      return;
    r.top = *slot_of(&b->types, r.top, 1);
  }
  TEST(r.top.at == NULL);
}

typedef struct setting {
  const char *collector;
  root_kind roots;
  unsigned stress;
  unsigned levels;
  unsigned rounds;
} setting;

static tn_ref global;

/* The one root of b, in a place of its kind; then run. */
__attribute__((noinline)) static void
rooted(bulk *b, tn_gc *heap, const setting *s)
{
  tn_ref plain = TN_REF_NULL;
  TN_ROOTS(b->m, frame, index);
  global = TN_REF_NULL;
  b->index = s->roots == IN_FRAME     ? &frame.index
             : s->roots == IN_HANDLES ? tn_gc_handle(b->m, TN_REF_NULL)
             : s->roots == IN_GLOBAL  ? &global
                                      : &plain;
  if (s->roots == IN_GLOBAL)
    TEST(tn_gc_root_add(heap, &global, 1) == TN_OK);
  if (!TEST(b->index != NULL))
    return;
  run(b, s->rounds);
  ladder(b);
}

static void
on(const setting *s)
{
  const bool collects = strcmp(s->collector, "none") != 0;
  tn_gc *const heap = tn_gc_create(
      &(tn_gc_options){.collector = s->collector,
                       .heap_size = (size_t)(collects ? 32 : 256) << 20,
                       .nursery_size = (size_t)512 << 10,
                       .scans_stacks = s->roots == ON_STACK,
                       .stress = s->stress},
      NULL);
  tn_mutator *const m = tn_gc_attach(heap, NULL);
  bulk b = {.m = m,
            .types = make_types(heap),
            .random = test_state.seed,
            .levels = s->levels};
  rooted(&b, heap, s);
  note(heap, collects && s->levels == BULK_LEVELS);
  tn_gc_detach(m);
  tn_gc_destroy(heap);
  if (test_state.failures)
    fprintf(stderr, "  in collector %s, roots %u, stress %u, levels %u\n",
            s->collector, s->roots, s->stress, s->levels);
}

/* Little that lives, on every kind of root and in every stress mode. */
static void
matrix(const char *collector)
{
  static const unsigned stresses[] = {
      TN_GC_STRESS_SLOW | TN_GC_STRESS_MOVE,
      TN_GC_STRESS_GC,
      TN_GC_STRESS_GC | TN_GC_STRESS_MOVE,
      TN_GC_STRESS_OOM | TN_GC_STRESS_TINY,
  };
  for (size_t k = 0; k < sizeof stresses / sizeof stresses[0]; k++)
    for (root_kind r = IN_FRAME; r <= ON_STACK; r++)
      if (r != ON_STACK || strcmp(collector, "semi") != 0)
        on(&(setting){collector, r, stresses[k], MATRIX_LEVELS, 3});
}

int
main(void)
{
  (void)test_seed();
  const char *name;
  for (size_t i = 0; (name = tn_gc_collector_name(i)) != NULL; i++) {
    on(&(setting){name, IN_GLOBAL, 0, BULK_LEVELS, 6});
    on(&(setting){name, IN_GLOBAL, TN_GC_STRESS_MOVE, BULK_LEVELS, 6});
    matrix(name);
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
