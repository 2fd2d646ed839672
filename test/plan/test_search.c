/* test_search.c -- the exact search answers as trying everything does
 *
 * A sample of what slow_search.c enumerates.
 * Tags  [search.failed] [search.rest] [search.order] [search.trail] [search.whole]
 *       [window.low] [window.whole]
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "plan/engine.h"
#include "search_check.h"

/* What differs in anything is not known, though there is one slot only, in
 * which all would be found.  [search.failed] */
static void
test_failed(void)
{
  static const tn_plan_buffer b[] = {
      TN_PLAN_BUFFER(0, 2, 3), TN_PLAN_BUFFER(1, 3, 2), TN_PLAN_BUFFER(0, 3, 1),
      TN_PLAN_BUFFER(2, 3, 4)};
  const tn_plan_options options = {.scratch = search_scratch,
                                   .scratch_size = sizeof search_scratch};
  const tn_plan_problem problem = {.buffers = b, .count = 4};
  enum { WORDS = 3 + 2 * 4 };
  tni_plan_memory memory;
  tni_plan_model model;
  tni_search_problem s;
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &problem, NULL, NULL, &memory) == TN_OK);
  TEST(tni_search_init(&s, &model, &memory));
  tni_search_limit(&s, 9);
  tni_engine *const e = search_engine(&s, 0, WORDS + 1, &memory);
  engine_frame f = e->frame[0];
  uint16_t *const ids = e->ids + f.ids;
  TEST(f.count == 4 && !tni_engine_has_failed(e, &f));
  for (int turn = 0; turn < 2; turn++) {
    tni_engine_add_failed(e, &f);
    TEST(tni_engine_has_failed(e, &f) && e->failed_nodes.used == WORDS);
    f.low++;
    TEST(!tni_engine_has_failed(e, &f));
    f.low--, f.low_at++;
    TEST(!tni_engine_has_failed(e, &f));
    f.low_at--, f.count--;
    TEST(!tni_engine_has_failed(e, &f));
    f.count++, e->rest[ids[3]]++;
    TEST(!tni_engine_has_failed(e, &f));
    e->rest[ids[3]]--;
    const uint16_t swap = ids[2];
    ids[2] = ids[3], ids[3] = swap;
    TEST(!tni_engine_has_failed(e, &f));
    ids[3] = ids[2], ids[2] = swap;
    TEST(tni_engine_has_failed(e, &f));
  }
  TEST(e->recalled == 4);
  tni_engine_restart(e, 0);
  TEST(!tni_engine_has_failed(e, &f));
  e->failed_nodes.least = 1;
  tni_engine_add_failed(e, &f);
  TEST(!tni_engine_has_failed(e, &f));
  e->failed_nodes.room = WORDS - 1;
  e->failed_nodes.least = 0;
  tni_engine_add_failed(e, &f);
  TEST(!tni_engine_has_failed(e, &f));
}

/* Chance gives each engine an order of its own, the same each time, and none
 * its first again. */
static void
test_stirred(uint64_t *state)
{
  enum { ITEMS = 48 };
  static const uint64_t chances[] = {0, 5, 0, 12345, 5};
  const tn_plan_options options = {.scratch = search_scratch,
                                   .scratch_size = sizeof search_scratch};
  tn_plan_buffer b[ITEMS];
  const tn_plan_problem problem = {.buffers = b, .count = ITEMS};
  for (size_t i = 0; i < ITEMS; i++) {
    const int64_t width = 1 + (int64_t)(test_random(state) % 30);
    const int64_t size = 1 + (int64_t)(test_random(state) % 1000);
    b[i] = (tn_plan_buffer)TN_PLAN_BUFFER(0, width, size);
  }
  tni_plan_memory memory;
  tni_plan_model model;
  tni_search_problem s;
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &problem, NULL, NULL, &memory) == TN_OK);
  TEST(tni_search_init(&s, &model, &memory) && s.count == ITEMS);
  tni_search_limit(&s, ITEMS * 1000);
  tni_engine *const e = search_engine(&s, 0, 0, &memory);
  uint32_t rank[5][ITEMS];
  for (size_t k = 0; k < 5; k++) {
    uint64_t seen = 0;
    tni_engine_restart(e, chances[k]);
    for (size_t i = 0; i < ITEMS; i++) {
      rank[k][i] = e->rank[i];
      seen |= (uint64_t)1 << e->rank[i];
    }
    TEST(seen == ((uint64_t)1 << ITEMS) - 1);
  }
  TEST(memcmp(rank[0], rank[1], sizeof rank[0]) != 0);
  TEST(memcmp(rank[0], rank[2], sizeof rank[0]) == 0);
  TEST(memcmp(rank[1], rank[3], sizeof rank[0]) != 0);
  TEST(memcmp(rank[1], rank[4], sizeof rank[0]) == 0);
}

enum { CUT_PIECES = 48, CUT_HEIGHT = 64, CUT_CASES = 100, RECALLED = 300 };

/* Too large to try everything, but a plan is known to exist: no engine says
 * that there is none, whatever it remembers.  [search.failed] */
static void
test_cut(uint64_t *state)
{
  static unsigned char scratch[1 << 20];
  const tn_plan_options options = {.scratch = scratch,
                                   .scratch_size = sizeof scratch};
  const int64_t box[4] = {0, 16, 0, CUT_HEIGHT};
  tn_plan_buffer b[CUT_PIECES];
  tn_plan_problem problem = {.buffers = b};
  tni_plan_memory memory;
  tni_plan_model model;
  tni_search_problem s;
  oracle_cut(b, &problem.count, CUT_PIECES, box, state);
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &problem, NULL, NULL, &memory) == TN_OK);
  TEST(tni_search_init(&s, &model, &memory));
  tni_search_limit(&s, CUT_HEIGHT);
  const tni_plan_mark mark = tni_plan_mark_set(&memory);
  for (unsigned order = 0; order < TNI_SEARCH_ENGINES; order++)
    for (uint32_t words = 0; words <= 100000; words = words * 5 + 200) {
      tni_engine *const e = search_engine(&s, order, words, &memory);
      TEST(tni_engine_run(e, 5000) != TNI_SEARCH_EXHAUSTED);
      search_recalled += tni_engine_recalled(e);
      tni_plan_mark_reset(&memory, mark);
    }
}

/* A circle of arcs whose weights add up to 0 lifts where it began, as one in it
 * is aligned: that is no reason to give the node up. */
static void
test_circle(void)
{
  const oracle_case c = {.buffer = {{0, 3, 4, 3, TN_PLAN_FREE},
                                    {0, 3, 5, 1, TN_PLAN_FREE},
                                    {0, 3, 7, 2, TN_PLAN_FREE}},
                         .count = 3,
                         .gap = {{0, 0, 1, 1, 4},
                                 {0, 2, 3, 3, 4},
                                 {1, 0, 1, 1, 2},
                                 {1, 2, 3, 4, 5},
                                 {2, 0, 1, 5, 7},
                                 {2, 1, 2, 3, 3},
                                 {2, 2, 3, 4, 7}},
                         .gaps = 7};
  TEST(oracle_height(&c, 40) == 10);
  search_check(&c);
}

/* What the search in window.c answers, a capacity after another. */
static void
check_capacities(const oracle_case *c, int64_t most, bool answer)
{
  enum { CAPACITIES = 60 };
  const tn_plan_options options = {.scratch = search_scratch,
                                   .scratch_size = sizeof search_scratch};
  const tn_plan_problem problem = oracle_problem(c, 0);
  tni_plan_memory memory;
  tni_plan_model model;
  tni_search_problem s;
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &problem, NULL, NULL, &memory) == TN_OK);
  TEST(tni_search_init(&s, &model, &memory) && s.is_windowed);
  for (int i = 1; i <= CAPACITIES; i++) {
    const tni_plan_mark mark = tni_plan_mark_set(&memory);
    TEST(search_answers(c, &s, TNI_SEARCH_ENGINES - 1, most - i, 0, &memory) ==
         answer);
    tni_plan_mark_reset(&memory, mark);
  }
}

/* Each on the one before, and the first a byte above what the last is above it:
 * a circle that lifts all three by a byte a turn, a hundred million times until
 * one is too high.  Without an end to it this test takes minutes. */
static void
test_long_circle(void)
{
  enum { LARGE = 1 << 26 };
  const oracle_case c = {.buffer = {TN_PLAN_BUFFER(0, 3, 3LL * LARGE),
                                    TN_PLAN_BUFFER(0, 3, LARGE),
                                    TN_PLAN_BUFFER(0, 3, LARGE)},
                         .count = 3,
                         .gap = {{0, 0, 1, 0, LARGE},
                                 {0, 1, 2, 0, 0},
                                 {0, 2, 3, 2LL * LARGE, 3LL * LARGE},
                                 {1, 2, 3, 0, 0},
                                 {2, 0, 1, 0, 0},
                                 {2, 2, 3, 0, 1}},
                         .gaps = 6};
  check_capacities(&c, 4LL * LARGE, true);
}

/* The second could only be a byte above the first, but both are aligned: a
 * circle of length 0 that lifts both by an alignment a turn. */
static void
test_aligned_circle(void)
{
  const int64_t large = (int64_t)1 << 33;
  const oracle_case c = {
      .buffer = {{0, 2, large + 2, 64, -1}, {0, 2, large, 64, -1}},
      .count = 2,
      .gap = {{0, 0, 1, 0, 1}, {0, 1, 2, large + 1, large + 2}},
      .gaps = 2};
  check_capacities(&c, 2 * large, false);
}

int
main(void)
{
  uint64_t state = test_seed();
  test_failed();
  test_stirred(&state);
  test_circle();
  test_long_circle();
  test_aligned_circle();
  for (int i = 0; i < 12000; i++) {
    oracle_case c;
    if (i % 3)
      oracle_random(&c, &state, i & 1);
    else
      oracle_random_windows(&c, &state, i & 1);
    for (size_t k = 0; i % 12 == 0 && k < c.count; k++)
      c.buffer[k].align = 2 + i % 24 / 12;  // bases are not whole grains
    search_check(&c);
  }
  TEST(search_windowed > 500);
  /* Few of them have much to recall. */
  for (int i = 0;
       i < CUT_CASES || (search_recalled <= RECALLED && i < 20 * CUT_CASES);
       i++)
    test_cut(&state);
  TEST(search_recalled > RECALLED);
  search_recalled = 0;
  for (int i = 0; i < 500; i++)
    search_check_cut(&state);
  TEST(search_recalled > 2000);
  return test_done();
}
