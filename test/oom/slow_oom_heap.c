/* slow_oom_heap.c -- heaps, each call of the system failing in turn
 *
 * A heap keeps its spaces and handles, so what is out after a failure is not
 * what is out without one (oom.h): instead the same failure is made four times,
 * no slice may then be in use, and there may be one space more than after the
 * first.
 *
 * Covers  [heap.same] [provider.same]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>

#include "heap/heap.h"
#include "oom.h"

enum { BLOCKS = 220, ROUNDS = 4 };

static bool
is_filled(const unsigned char *p, size_t size, unsigned char fill)
{
  return p[0] == fill && p[size / 2] == fill && p[size - 1] == fill;
}

static size_t
size_of(size_t i)
{
  return i % 40 == 39 ? 300000 + i * 100 : 1 + i * i % 9000;
}

/* Blocks of all kinds, grown and freed; what is refused changes nothing. */
static bool
use(tn_heap *heap)
{
  unsigned char *blocks[BLOCKS] = {NULL};
  bool ok = true;
  for (size_t i = 0; i < BLOCKS; i++) {
    blocks[i] =
        tn_heap_allocate(heap, size_of(i), 16, i % 3 == 0 ? TN_HEAP_ZERO : 0)
            .pointer;
    ok = ok && blocks[i];
    if (!blocks[i])
      continue;
    TEST(i % 3 != 0 || is_filled(blocks[i], size_of(i), 0));
    memset(blocks[i], (int)(i + 1), size_of(i));
  }
  for (size_t i = 0; i < BLOCKS; i++) {
    if (!blocks[i])
      continue;
    TEST(is_filled(blocks[i], size_of(i), (unsigned char)(i + 1)));
    if (i % 8 != 7)
      continue;
    unsigned char *const grown =
        tn_heap_reallocate(heap, blocks[i], 3 * size_of(i), 16).pointer;
    ok = ok && grown;
    blocks[i] = grown ? grown : blocks[i];
    TEST(is_filled(blocks[i], size_of(i), (unsigned char)(i + 1)));
  }
  void *batch[100];
  const size_t n = tn_heap_allocate_batch(heap, 40, 8, 100, batch);
  ok = ok && n == 100;
  tn_heap_free_batch(batch, n);
  for (size_t i = 0; i < BLOCKS; i++)
    tn_heap_free_any(blocks[i]);
  tn_heap_stats stats;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.live == 0);
  return ok;
}

static bool
process_heap(void)
{
  const bool ok = use(tn_heap_default());
  (void)tn_purge_all();
  return ok;
}

static bool
own_heap(void)
{
  tn_status status;
  tn_heap *const heap = tn_heap_create(NULL, &status);
  TEST(heap || status == TN_ENOMEM);
  const bool ok = heap && use(heap);
  tn_heap_destroy(heap);
  return ok;
}

static bool
nested_heap(void)
{
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.provider = tn_heap_provider(tn_heap_default());
  tn_heap *const heap = tn_heap_create(&options, NULL);
  const bool ok = heap && use(heap);
  tn_heap_destroy(heap);
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.live == 0);
  return ok;
}

static struct {
  oom_scenario *scenario;
  size_t nth;
  bool for_ever;
  int report;
} how;

static void
child(void)
{
  size_t reserved[ROUNDS];
  size_t failures = 0;
  for (int round = 0; round < ROUNDS; round++) {
    const size_t before = tni_fake_get_failures();
    tni_fake_fail(TNI_FAKE_TAKING, how.nth, how.for_ever);
    const bool ok = how.scenario();
    failures += tni_fake_get_failures() - before;
    TEST(ok || failures > 0);
    tni_fake_fail(TNI_FAKE_TAKING, 0, false);
    TEST(how.scenario());
    TEST(tni_fake_find_stray() == NULL);
    (void)tn_purge_all();
    for (tni_heap_space *s = tni_slices_first(); s; s = s->next)
      TEST(tni_slices_is_valid(s) && s->used == 0 && s->dirty == 0);
    reserved[round] = tni_fake_get_use().reserved;
  }
  TEST(reserved[ROUNDS - 1] <= reserved[0] + TNI_MIB(9));  // one space more
  const bool any = failures > 0;
  TEST(write(how.report, &any, sizeof any) == sizeof any);
}

/* returns how many calls there were to fail. */
static size_t
run(oom_scenario *scenario)
{
  size_t calls = 0;
  how.scenario = scenario;
  for (int for_ever = 0; for_ever < 2; for_ever++) {
    how.for_ever = for_ever;
    bool any = true;
    for (how.nth = 1; any && test_state.failures == 0; how.nth++) {
      int ends[2];
      if (!TEST(pipe(ends) == 0))
        return 0;
      how.report = ends[1];
      if (!TEST(child_passes(child)))
        fprintf(stderr, "  failing call %zu%s\n", how.nth,
                for_ever ? " and all that follow" : "");
      else
        TEST(read(ends[0], &any, sizeof any) == sizeof any);
      close(ends[0]);
      close(ends[1]);
      calls += any;
    }
  }
  return calls;
}

int
main(void)
{
  TEST(run(process_heap) > 20);
  TEST(run(own_heap) > 20);
  TEST(run(nested_heap) > 20);
  return test_done();
}
