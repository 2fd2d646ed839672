/* test_stir.c -- when the exact search stirs its orders, and by what
 *
 * exact.c is built into this test with a restart that notes the chance.
 * Tags  [plan.same]
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"

static void stir_restart(tni_engine *engine, uint64_t chance);

#define tni_engine_restart stir_restart
#define tni_exact          stir_exact  // the library has its own
#include "../../src/plan/exact.c"
#undef tni_engine_restart
#undef tni_exact

#include "oracle.h"

enum { BUFFERS = 60, RESTARTS = 3000, STIRRED = 9 };

static uint64_t stir_chance[RESTARTS];
static size_t stir_count, stir_stirred;

static void
stir_restart(tni_engine *engine, uint64_t chance)
{
  if (stir_count < RESTARTS)
    stir_chance[stir_count++] = chance;
  stir_stirred += chance != 0;
  tni_engine_restart(engine, chance);
}

static bool
stir_goes_on(void *context, const tn_plan_progress *progress)
{
  (void)context;
  (void)progress;
  return stir_stirred < STIRRED;
}

/* The chance of the n-th restart that was stirred. */
static uint64_t
stir_nth(size_t n)
{
  for (size_t i = 0; i < stir_count; i++)
    if (stir_chance[i] && n-- == 0)
      return stir_chance[i];
  return 0;
}

/* Search until some orders have been stirred; a gap remains, so that it goes
 * on. */
static uint64_t
stir_search(uint64_t seed)
{
  static unsigned char scratch[1 << 24];
  int64_t offsets[BUFFERS];
  tn_plan_buffer b[BUFFERS];
  for (int64_t i = 0; i < BUFFERS; i++) {
    const int64_t lower = i * 37 % 101;
    b[i] = (tn_plan_buffer)TN_PLAN_BUFFER(lower, lower + 3 + i * 13 % 29,
                                          1000 + i * 7919 % 6007);
  }
  const tn_plan_problem p = {.buffers = b, .count = BUFFERS};
  const tn_plan_options options = {.scratch = scratch,
                                   .scratch_size = sizeof scratch,
                                   .progress = stir_goes_on,
                                   .nodes = 3000000,
                                   .seed = seed};
  tn_plan_result r = {.offsets = offsets};
  tni_plan_model model;
  tni_plan_memory memory;
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &p, NULL, NULL, &memory) == TN_OK);
  int64_t *const best = tni_plan_take(&memory, model.count, sizeof *best);
  if (!TEST(best != NULL))
    return 0;
  tni_solver s = {.options = &options,
                  .memory = &memory,
                  .problem = &p,
                  .model = &model,
                  .result = &r,
                  .capacity = TN_PLAN_MAX,
                  .best = best,
                  .height = -1,
                  .bound = model.load[model.peak],
                  .published = -1,
                  .nodes_stop = options.nodes};
  stir_count = stir_stirred = 0;
  TEST(tni_greedy(&s, true));
  stir_exact(&s, UINT64_MAX);
  tni_plan_memory_fini(&memory);
  TEST(stir_stirred >= STIRRED && stir_count < RESTARTS);
  return stir_nth(0);
}

int
main(void)
{
  const uint64_t first = stir_search(1);
  size_t plain = 0;
  while (plain < stir_count && stir_chance[plain] == 0)
    plain++;
  /* Forty questions below and one at the bound at least, to all engines. */
  TEST(plain >= 41 * TNI_SEARCH_ENGINES);
  for (size_t i = 0; i + 1 < STIRRED; i++)
    TEST(stir_nth(i) != stir_nth(i + 1));
  TEST(stir_search(2) != first);
  return test_done();
}
