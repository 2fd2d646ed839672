/* slow_conform.c -- ten million random steps and lists of ten million
 *
 * On every collector.  The steps are shared by the kinds of roots, with one
 * worker and with two; a list is marked and copied without recursion, and moved
 * through its links.
 * SPDX-License-Identifier: MIT
 */
#include "conform/matrix.h"

#define LINKS 10000000u
#define STEPS 10000000u

static void
long_list(const char *collector, unsigned workers)
{
  const tn_gc_options options = {.collector = collector,
                                 .heap_size = (size_t)640 << 20,
                                 .workers = workers};
  tn_gc *const heap = tn_gc_create(&options, NULL);
  tn_mutator *const m = tn_gc_attach(heap, NULL);
  const tn_type *const type = make_types(heap).of[PAIR];
  {
    TN_ROOTS(m, r, list, n);
    for (uint64_t i = 0; i < LINKS; i++) {
      r.n = TN_GC_NEW(m, struct pair, type);
      if (!TEST(r.n.at != NULL))
        break;
      TN_AT(struct pair, r.n)->id = i;
      TN_AT(struct pair, r.n)->slot[i % 2] = r.list;
      r.list = r.n;
    }
    r.n = TN_REF_NULL;
    tn_gc_collect(m, TN_GC_FULL);
    tn_gc_stats s;
    tn_gc_get_stats(heap, &s);
    if (strcmp(collector, "none") != 0)
      TEST(s.live_bytes >= LINKS * sizeof(struct pair));
    uint64_t left = LINKS;
    for (tn_ref n = r.list; n.at; n = TN_AT(struct pair, n)->slot[left % 2])
      if (TN_AT(struct pair, n)->id != --left)
        break;
    TEST(left == 0);
  }
  tn_gc_detach(m);
  tn_gc_destroy(heap);
}

/* Ten million steps, in heaps of at most 640 MiB for one that never frees. */
static void
many_steps(const char *collector)
{
  const bool collects = strcmp(collector, "none") != 0;
  const root_kind kinds = matrix_scans(collector) ? ON_STACK + 1 : ON_STACK;
  const size_t heaps = collects ? kinds : STEPS / 1000000;
  for (size_t i = 0; i < heaps && test_state.failures == 0; i++) {
    const setting s = {.collector = collector,
                       .roots = (root_kind)(i % kinds),
                       .heap = (size_t)(collects ? 8 : 640) << 20,
                       .steps = (STEPS + heaps - 1) / heaps,
                       .collect_every = 25000,
                       .workers = 1 + i % 2};
    matrix_one(&s);
    if (test_state.failures)
      matrix_say(&s);
  }
}

int
main(void)
{
  (void)test_seed();
  const char *name;
  for (size_t i = 0; (name = tn_gc_collector_name(i)) != NULL; i++) {
    long_list(name, 1);
    many_steps(name);
  }
  TEST(matrix_sum.worker_objects[1] > 0);
  return test_done();
}
