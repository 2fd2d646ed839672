/* test_fit.c -- holes are found as by looking at every offset; ejection
 *
 * Tags  [fit.sets] [improve.clear]
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "plan/solver.h"

enum { ITEMS = 120, ADDRESSES = 600 };

static unsigned char scratch[8 << 20];

static tn_plan_problem
make_problem(tn_plan_buffer *b, uint64_t *state, int64_t sizes)
{
  for (size_t i = 0; i < ITEMS; i++) {
    const int64_t lower = (int64_t)(test_random(state) % 40);
    b[i] = (tn_plan_buffer)TN_PLAN_BUFFER(
        lower, lower + 1 + (int64_t)(test_random(state) % 9),
        1 + (int64_t)(test_random(state) % (uint64_t)sizes));
    b[i].align = (int64_t)(1 + test_random(state) % 3);
  }
  return (tn_plan_problem){.buffers = b, .count = ITEMS};
}

/* Whether [offset, offset + 1) is taken while the item lives. */
static bool
is_taken(const tn_plan_buffer *b, const int64_t *at, size_t item, int64_t byte)
{
  for (size_t j = 0; j < item; j++)
    if (b[j].lower < b[item].upper && b[item].lower < b[j].upper &&
        at[j] <= byte && byte < at[j] + b[j].size)
      return true;
  return false;
}

/* The rule by looking: the lowest hole that holds the item, or the one that it
 * leaves least of. */
static int64_t
look(const tn_plan_buffer *b, const int64_t *at, size_t item, tni_fit_rule rule)
{
  int64_t best = -1, least = INT64_MAX;
  for (int64_t from = 0; from < ADDRESSES;) {
    int64_t end = from;
    while (end < ADDRESSES && !is_taken(b, at, item, end))
      end++;
    const int64_t offset =
        (from + b[item].align - 1) / b[item].align * b[item].align;
    const int64_t rest =
        end == ADDRESSES ? INT64_MAX - 1 : end - offset - b[item].size;
    if (rest >= 0 && rest < least) {
      least = rule == TNI_FIT_FIRST ? 0 : rest;
      best = offset;
    }
    for (from = end; from < ADDRESSES && is_taken(b, at, item, from);)
      from++;
  }
  return best;
}

static void
test_holes(uint64_t *state, tni_fit_rule rule)
{
  tn_plan_buffer b[ITEMS];
  int64_t at[ITEMS];
  const tn_plan_options o = {.scratch = scratch,
                             .scratch_size = sizeof scratch};
  const tn_plan_problem p = make_problem(b, state, 9);
  tni_plan_memory memory;
  tni_plan_model m;
  tni_fit fit;
  tni_plan_memory_init(&memory, &o);
  TEST(tni_plan_model_build(&m, &p, NULL, NULL, &memory) == TN_OK);
  TEST(tni_fit_init(&fit, &m, &memory));
  fit.ceiling = TN_PLAN_MAX;
  for (uint32_t i = 0; i < ITEMS; i++) {
    at[i] = look(b, at, i, rule);
    if (!TEST(tni_fit_find(&fit, i, rule) == at[i]))
      return;
    TEST(tni_fit_is_free(&fit, i, at[i]));
    TEST(tni_fit_put(&fit, i, at[i]));
    TEST(!tni_fit_is_free(&fit, i, at[i]));
  }
}

/* From a plan that stacks everything, ejection comes close to the load. */
static void
test_ejection(uint64_t *state)
{
  tn_plan_buffer b[ITEMS];
  int64_t offsets[ITEMS], best[ITEMS];
  const tn_plan_options o = {.scratch = scratch,
                             .scratch_size = sizeof scratch};
  const tn_plan_problem p = make_problem(b, state, 90);
  tni_plan_memory memory;
  tni_plan_model m;
  tn_plan_result r = {.offsets = offsets};
  tni_plan_memory_init(&memory, &o);
  TEST(tni_plan_model_build(&m, &p, NULL, NULL, &memory) == TN_OK);
  tni_solver s = {.options = &o,
                  .memory = &memory,
                  .problem = &p,
                  .model = &m,
                  .result = &r,
                  .capacity = TN_PLAN_MAX,
                  .best = best,
                  .bound = m.load[m.peak],
                  .published = -1};
  for (size_t i = 0; i < ITEMS; i++) {
    best[i] = (s.height + 5) / 6 * 6;
    s.height = best[i] + b[i].size;
  }
  tni_improve(&s, 3000);
  tn_plan_report report;
  const tn_plan_options rest = {.scratch = memory.cursor,
                                .scratch_size =
                                    (size_t)(memory.limit - memory.cursor)};
  TEST(s.height * 100 <= s.bound * 125);
  TEST(tn_plan_verify(&p, offsets, NULL, &rest, &report) == TN_OK);
  TEST(report.fault == TN_PLAN_FAULT_NONE && report.height == s.height);
}

int
main(void)
{
  uint64_t state = test_seed();
  for (int i = 0; i < 30; i++) {
    test_holes(&state, i & 1 ? TNI_FIT_FIRST : TNI_FIT_BEST);
    test_ejection(&state);
  }
  return test_done();
}
