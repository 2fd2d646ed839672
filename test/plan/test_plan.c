/* test_plan.c -- tn_plan_solve: answers, limits, budgets, memory
 *
 * Tags  [plan.disjoint] [plan.align] [plan.fixed] [plan.bound] [plan.anytime]
 *       [plan.same] [plan.honest] [fit.sets] [improve.clear]
 * SPDX-License-Identifier: MIT
 */
#include "oracle.h"

enum { BIG = 4000 };

static unsigned char scratch[64 << 20];
static int64_t offsets[BIG], again[BIG];
static uint32_t conflict[BIG];

static tn_plan_options
options(void)
{
  return (tn_plan_options){.scratch = scratch, .scratch_size = sizeof scratch};
}

/* Solve; every plan is verified. */
static tn_plan_result
solve(const tn_plan_problem *problem, const tn_plan_options *o)
{
  tn_plan_result r = {.offsets = offsets, .conflict = conflict};
  tn_plan_report report;
  tn_plan_problem open = *problem;
  TEST(tn_plan_solve(problem, o, &r) == TN_OK);
  if (r.height < 0)
    return r;
  open.capacity = r.height;
  TEST(tn_plan_verify(&open, offsets, NULL, o, &report) == TN_OK);
  TEST(report.fault == TN_PLAN_FAULT_NONE);
  TEST(report.height == r.height);
  TEST(r.lower_bound <= r.height);
  return r;
}

/* ---- against the oracle ---- */

static bool
is_rough_case(const oracle_case *c)
{
  for (size_t g = 0; g < c->gaps && c->shares; g++)
    if (c->gap[g].low < c->gap[g].high)
      return true;
  return false;
}

static void
check_case(const oracle_case *c)
{
  const tn_plan_options o = options();
  tn_plan_problem p = oracle_problem(c, 0);
  const int64_t best = oracle_height(c, 40);
  tn_plan_result r = solve(&p, &o);
  /* What two buffers that share need may have a hole, which is not used. */
  const bool is_rough = is_rough_case(c);
  if (best < 0) {
    TEST(r.height < 0 && r.conflict_count > 0);
    TEST(r.status == TN_PLAN_INFEASIBLE ||
         (is_rough && r.status == TN_PLAN_UNKNOWN));
    return;
  }
  if (is_rough) {
    TEST(r.height >= best && r.lower_bound <= best);
    TEST((r.status == TN_PLAN_OPTIMAL) == (r.height == r.lower_bound));
    p.capacity = best;
    TEST(solve(&p, &o).status != TN_PLAN_INFEASIBLE);
    return;
  }
  TEST(r.status == TN_PLAN_OPTIMAL && r.height == best);
  if (best < 2)
    return;
  p.capacity = best - 1;
  r = solve(&p, &o);
  TEST(r.status == TN_PLAN_INFEASIBLE);
  p.capacity = best;
  tn_plan_options fit = o;
  fit.goal = TN_PLAN_FIT;
  r = solve(&p, &fit);
  TEST(r.status == TN_PLAN_OPTIMAL || r.status == TN_PLAN_FEASIBLE);
}

static void
test_oracle(uint64_t *state)
{
  for (int i = 0; i < 10000; i++) {
    oracle_case c;
    if (i % 5 < 3)
      oracle_random(&c, state, i % 2);
    else
      oracle_random_windows(&c, state, i % 2);
    for (int s = i % 3; s > 0 && c.count > 1; s--) {
      const size_t a = test_random(state) % c.count;
      c.share[c.shares++] = (tn_plan_share){a, (a + 1) % c.count};
    }
    check_case(&c);
  }
}

/* ---- known optima ---- */

static void
test_perfect(uint64_t *state)
{
  for (int i = 0; i < 50; i++) {
    tn_plan_buffer b[200];
    const int64_t box[4] = {0, 40, 0, 40};
    tn_plan_problem p = {.buffers = b};
    oracle_cut(b, &p.count, 45, box, state);
    tn_plan_options o = options();
    o.nodes = 200000;
    const tn_plan_result r = solve(&p, &o);
    TEST(r.lower_bound == 40);
    TEST(r.height <= 44);
    TEST((r.status == TN_PLAN_OPTIMAL) == (r.height == 40));
  }
}

static void
test_traces(uint64_t *state)
{
  static tn_plan_buffer b[BIG];
  const tn_plan_options o = options();
  for (int64_t i = 0; i < BIG; i++)  // last in, first out
    b[i] = (tn_plan_buffer)TN_PLAN_BUFFER(
        i, 2 * BIG - i, 1 + (int64_t)(test_random(state) % 99));
  tn_plan_problem p = {.buffers = b, .count = BIG};
  TEST(solve(&p, &o).status == TN_PLAN_OPTIMAL);
  for (int64_t i = 0; i < BIG; i++)  // one size
    b[i] = (tn_plan_buffer)TN_PLAN_BUFFER(
        i, i + 1 + (int64_t)(test_random(state) % 99), 64);
  TEST(solve(&p, &o).status == TN_PLAN_OPTIMAL);
}

static void
test_small(void)
{
  const tn_plan_options o = options();
  const tn_plan_buffer three[] = {TN_PLAN_BUFFER(0, 2, 100),
                                  TN_PLAN_BUFFER(1, 3, 80),
                                  TN_PLAN_BUFFER(2, 4, 60)};
  const tn_plan_problem p = {.buffers = three, .count = 3};
  const tn_plan_result r = solve(&p, &o);
  TEST(r.status == TN_PLAN_OPTIMAL && r.height == 180);
  TEST(r.witness_is_load && r.witness_lower == 1 && r.witness_upper == 2);
  const tn_plan_problem none = {.buffers = three, .count = 0};
  TEST(solve(&none, &o).height == 0);
  const tn_plan_buffer empty[] = {TN_PLAN_BUFFER(0, 0, 100),
                                  TN_PLAN_BUFFER(1, 3, 0)};
  const tn_plan_problem nothing = {.buffers = empty, .count = 2};
  TEST(solve(&nothing, &o).status == TN_PLAN_OPTIMAL);
}

/* ---- limits and refusals ---- */

static void
refuses(tn_plan_buffer b, tn_status wanted)
{
  const tn_plan_options o = options();
  const tn_plan_buffer two[] = {TN_PLAN_BUFFER(0, 1, 1), b};
  const tn_plan_problem p = {.buffers = two, .count = 2};
  tn_plan_result r = {.offsets = offsets};
  TEST(tn_plan_solve(&p, &o, &r) == wanted);
  TEST(r.error != NULL && r.error_index == 1);
}

static void
test_refusals(void)
{
  refuses((tn_plan_buffer){2, 1, 1, 1, -1}, TN_EINVAL);
  refuses((tn_plan_buffer){0, 1, -1, 1, -1}, TN_EINVAL);
  refuses((tn_plan_buffer){0, 1, 1, -1, -1}, TN_EINVAL);
  refuses((tn_plan_buffer){0, 1, 1, 1, -2}, TN_EINVAL);
  refuses((tn_plan_buffer){0, 1, 1, 4, 3}, TN_EINVAL);
  refuses((tn_plan_buffer){0, 1, TN_PLAN_MAX + 1, 1, -1}, TN_ERANGE);
  refuses((tn_plan_buffer){0, INT64_MAX, 1, 1, -1}, TN_ERANGE);
  refuses((tn_plan_buffer){INT64_MIN, 1, 1, 1, -1}, TN_ERANGE);
}

static void
test_huge(void)
{
  const tn_plan_options o = options();
  const tn_plan_buffer big[] = {TN_PLAN_BUFFER(0, 5, TN_PLAN_MAX),
                                TN_PLAN_BUFFER(5, 9, TN_PLAN_MAX),
                                TN_PLAN_BUFFER(8, 9, 1)};
  tn_plan_problem p = {.buffers = big, .count = 2};
  tn_plan_result r = solve(&p, &o);
  TEST(r.status == TN_PLAN_OPTIMAL && r.height == TN_PLAN_MAX);
  p.count = 3;
  TEST(tn_plan_solve(&p, &o, &r) == TN_ERANGE && r.error != NULL);
  const tn_plan_buffer odd[] = {{0, 5, TN_PLAN_MAX - 5, TN_PLAN_MAX, -1},
                                {4, 9, 3, 2, -1}};
  const tn_plan_problem q = {.buffers = odd, .count = 2};
  TEST(solve(&q, &o).height == TN_PLAN_MAX - 1);
}

static void
test_conflict(void)
{
  const tn_plan_options o = options();
  const tn_plan_buffer b[] = {TN_PLAN_BUFFER(0, 9, 3), TN_PLAN_BUFFER(2, 4, 5),
                              TN_PLAN_BUFFER(3, 5, 5), TN_PLAN_BUFFER(6, 9, 5)};
  tn_plan_problem p = {.buffers = b, .count = 4, .capacity = 9};
  tn_plan_result r = solve(&p, &o);
  TEST(r.status == TN_PLAN_INFEASIBLE && r.conflict_is_irreducible);
  TEST(r.conflict_count == 2 && conflict[0] == 1 && conflict[1] == 2);
  TEST(r.height == 13 && r.lower_bound == 13);
  const tn_plan_buffer f[] = {
      {0, 4, 4, 1, 0}, {0, 4, 4, 1, 8}, {3, 5, 4, 1, 10}};
  p = (tn_plan_problem){.buffers = f, .count = 3};
  r = solve(&p, &o);
  TEST(r.status == TN_PLAN_INFEASIBLE && r.conflict_count == 2);
}

/* The conflict that a search proves: all of it does not fit, any one fewer
 * does. */
static void
check_conflict(const oracle_case *c, const tn_plan_result *r, int64_t capacity)
{
  oracle_case few = {.count = r->conflict_count};
  if (c->gaps || c->shares)
    return;
  TEST(r->conflict_is_irreducible);
  for (size_t i = 0; i < few.count; i++)
    few.buffer[i] = c->buffer[conflict[i]];
  TEST(!oracle_fits(&few, capacity));
  for (size_t i = 0; i < few.count; i++) {
    const tn_plan_buffer out = few.buffer[i];
    few.buffer[i].size = 0;
    TEST(oracle_fits(&few, capacity));
    few.buffer[i] = out;
  }
}

static void
test_conflict_search(uint64_t *state)
{
  const tn_plan_options o = options();
  for (int i = 0; i < 2000; i++) {
    oracle_case c;
    oracle_random(&c, state, false);
    const int64_t best = oracle_height(&c, 40);
    const tn_plan_problem p = oracle_problem(&c, best - 1);
    if (best < 2)
      continue;
    const tn_plan_result r = solve(&p, &o);
    TEST(r.status == TN_PLAN_INFEASIBLE);
    check_conflict(&c, &r, best - 1);
  }
}

/* Stops when the capacity is proved to be too small. */
static bool
stop_when_proved(void *context, const tn_plan_progress *now)
{
  const int64_t *const capacity = context;
  return now->lower_bound <= *capacity;
}

/* The load is 9, but with their alignment b[1], b[2] and b[3] need 11.  Stopped
 * before the conflict is made smaller it is all of them, and not said to be
 * irreducible. */
static void
test_conflict_stopped(void)
{
  int64_t capacity = 10;
  const tn_plan_buffer b[] = {
      {7, 9, 5, 1, -1}, {0, 4, 3, 4, -1}, {1, 5, 3, 4, -1},
      {2, 6, 3, 4, -1}, {8, 9, 4, 1, -1},
  };
  const tn_plan_problem p = {.buffers = b, .count = 5, .capacity = capacity};
  tn_plan_options o = options();
  tn_plan_result r = solve(&p, &o);
  TEST(r.status == TN_PLAN_INFEASIBLE && r.conflict_is_irreducible);
  TEST(r.conflict_count == 3 && conflict[0] == 1 && conflict[2] == 3);
  o.progress = stop_when_proved;
  o.context = &capacity;
  r = solve(&p, &o);
  TEST(r.status == TN_PLAN_INFEASIBLE && !r.conflict_is_irreducible);
  TEST(r.conflict_count == 5);
}

/* ---- pools ---- */

/* The least sum of size * cost of any choice of pools; -1: none fits. */
static int64_t
cheapest(const oracle_case *c, const tn_plan_pool *pools, size_t count)
{
  int64_t least = -1;
  size_t choices = 1;
  for (size_t i = 0; i < c->count; i++)
    choices *= count;
  for (size_t n = 0; n < choices; n++) {
    int64_t cost = 0;
    bool ok = true;
    for (size_t pool = 0; ok && pool < count; pool++) {
      oracle_case here = *c;
      size_t digits = n;
      for (size_t i = 0; i < c->count; i++, digits /= count)
        if (digits % count != pool)
          here.buffer[i].size = 0;
        else
          cost += c->buffer[i].size * pools[pool].cost;
      ok = oracle_fits(&here, pools[pool].capacity);
    }
    if (ok && (least < 0 || cost < least))
      least = cost;
  }
  return least;
}

static void
test_pools(uint64_t *state)
{
  uint32_t pools_of[ORACLE_BUFFERS];
  int good = 0, found = 0, all = 0;
  for (int i = 0; i < 300; i++) {
    oracle_case c;
    oracle_random(&c, state, false);
    const tn_plan_pool pools[] = {{4 + (int64_t)(test_random(state) % 5), 1},
                                  {9, 10}};
    const int64_t least = cheapest(&c, pools, 2);
    tn_plan_problem p = oracle_problem(&c, 0);
    p.pools = pools;
    p.pool_count = 2;
    const tn_plan_options o = options();
    tn_plan_result r = {.offsets = offsets, .pools = pools_of};
    TEST(tn_plan_solve(&p, &o, &r) == TN_OK);
    if (least < 0) {
      TEST(r.status == TN_PLAN_INFEASIBLE || r.status == TN_PLAN_UNKNOWN);
      continue;
    }
    all++;
    TEST(r.status != TN_PLAN_INFEASIBLE);
    if (r.status == TN_PLAN_UNKNOWN)
      continue;
    tn_plan_report report;
    TEST(tn_plan_verify(&p, offsets, pools_of, &o, &report) == TN_OK);
    TEST(report.fault == TN_PLAN_FAULT_NONE && report.height == r.height);
    TEST(r.cost >= least);
    TEST(r.status != TN_PLAN_OPTIMAL || r.cost == least);
    found++;
    good += r.cost == least;
  }
  TEST(all > 50 && found * 100 >= all * 95 && good * 100 >= found * 60);
}

/* What fits into the cheapest pool is optimal there; costs too large to add up
 * prove nothing, and heights are right all the same. */
static void
test_pool_costs(void)
{
  static const tn_plan_pool fast[] = {{300, 2}, {1000, 3}};
  static const tn_plan_pool dear[] = {{TN_PLAN_MAX, 1 << 20}};
  const tn_plan_options o = options();
  const tn_plan_buffer small[] = {TN_PLAN_BUFFER(0, 2, 100),
                                  TN_PLAN_BUFFER(1, 3, 80)};
  const tn_plan_buffer huge[] = {TN_PLAN_BUFFER(0, 1, TN_PLAN_MAX / 2),
                                 TN_PLAN_BUFFER(1, 2, TN_PLAN_MAX)};
  uint32_t pools_of[2];
  tn_plan_result r = {.offsets = offsets, .pools = pools_of};
  tn_plan_problem p = {
      .buffers = small, .count = 2, .pools = fast, .pool_count = 2};
  TEST(tn_plan_solve(&p, &o, &r) == TN_OK);
  TEST(r.status == TN_PLAN_OPTIMAL && r.cost == 360 && r.height == 180);
  p = (tn_plan_problem){
      .buffers = huge, .count = 2, .pools = dear, .pool_count = 1};
  TEST(tn_plan_solve(&p, &o, &r) == TN_OK);
  TEST(r.status == TN_PLAN_FEASIBLE && r.cost == INT64_MAX);
  TEST(r.height == TN_PLAN_MAX);
}

/* ---- budget, memory, executor ---- */

static void
make_random(tn_plan_buffer *b, size_t count, uint64_t *state)
{
  for (size_t i = 0; i < count; i++) {
    const int64_t lower = (int64_t)(test_random(state) % 60);
    b[i] = (tn_plan_buffer)TN_PLAN_BUFFER(
        lower, lower + 1 + (int64_t)(test_random(state) % 20),
        1 + (int64_t)(test_random(state) % 90));
  }
}

/* Runs the jobs last to first. */
static void
backwards(void *context, void (*job)(void *argument, size_t index),
          void *argument, size_t count)
{
  (void)context;
  while (count-- > 0)
    job(argument, count);
}

typedef struct watch {
  int64_t height;
  unsigned calls, stop;
} watch;

static bool
look(void *context, const tn_plan_progress *now)
{
  watch *const w = context;
  TEST(now->lower_bound <= now->height || now->height < 0);
  TEST(w->height < 0 || now->height <= w->height);  // [plan.anytime]
  w->height = now->height;
  return ++w->calls != w->stop;
}

static void
test_same(uint64_t *state)
{
  static tn_plan_buffer b[120];
  for (int i = 0; i < 6; i++) {
    make_random(b, 120, state);
    const tn_plan_problem p = {.buffers = b, .count = 120};
    tn_plan_options o = options();
    watch w = {.height = -1};
    o.nodes = 40000;
    const tn_plan_result r = solve(&p, &o);
    memcpy(again, offsets, sizeof again);
    o.execute = backwards;
    o.progress = look;
    o.context = &w;
    const tn_plan_result t = solve(&p, &o);
    TEST(memcmp(again, offsets, 120 * sizeof *offsets) == 0);
    TEST(r.height == t.height && r.lower_bound == t.lower_bound);
    TEST(r.nodes == t.nodes && r.status == t.status);
    w = (watch){.height = -1, .stop = 1};
    TEST(solve(&p, &o).height >= t.height);
    o.previous = again;
    o.nodes = 1;
    TEST(solve(&p, &o).height <= r.height);
  }
}

/* The least height is with i on s at one instant and s on i at the other: s at
 * 7, as i is aligned to 8.  The arcs between them are a circle of length 0. */
static void
test_circle(void)
{
  const tn_plan_options o = options();
  const tn_plan_buffer b[] = {TN_PLAN_BUFFER(0, 2, 10), {0, 2, 8, 8, -1}};
  const tn_plan_gap gaps[] = {{0, 0, 1, 0, 1}, {0, 1, 2, 9, 10}};
  const tn_plan_problem p = {
      .buffers = b, .count = 2, .gaps = gaps, .gap_count = 2};
  const tn_plan_result r = solve(&p, &o);
  TEST(r.status == TN_PLAN_OPTIMAL && r.height == 17);
}

/* Two that share leave room between their windows, which is not made use of:
 * nothing is said to be proved. */
static void
test_rough(void)
{
  const tn_plan_options o = options();
  const tn_plan_buffer b[] = {TN_PLAN_BUFFER(0, 2, 10),
                              TN_PLAN_BUFFER(0, 2, 10),
                              TN_PLAN_BUFFER(1, 2, 8)};
  const tn_plan_gap gaps[] = {
      {0, 0, 1, 0, 4}, {0, 1, 2, 0, 1}, {1, 0, 1, 0, 4}, {1, 1, 2, 9, 10}};
  const tn_plan_share share = {0, 1};
  const tn_plan_problem p = {.buffers = b,
                             .count = 3,
                             .gaps = gaps,
                             .gap_count = 4,
                             .shares = &share,
                             .share_count = 1,
                             .capacity = 10};
  const tn_plan_result r = solve(&p, &o);
  TEST(r.status != TN_PLAN_INFEASIBLE && r.lower_bound <= 10);
}

static uint64_t
count_calls(void *context)
{
  return ++*(uint64_t *)context;
}

/* The clock is looked at within an order: the second is not finished. */
static void
test_deadline(uint64_t *state)
{
  static tn_plan_buffer b[BIG];
  uint64_t calls = 0;
  make_random(b, BIG, state);
  const tn_plan_problem p = {.buffers = b, .count = BIG};
  tn_plan_options o = options();
  o.clock = count_calls;
  o.context = &calls;
  o.deadline = 3;
  const tn_plan_result r = solve(&p, &o);
  TEST(r.status == TN_PLAN_FEASIBLE && calls == 3 && r.nodes == 2 * BIG);
}

/* With any size of scratch: a right plan, or out of memory. */
static void
test_memory(uint64_t *state)
{
  static tn_plan_buffer b[60];
  make_random(b, 60, state);
  const tn_plan_problem p = {.buffers = b, .count = 60};
  size_t refused = 0, planned = 0;
  for (size_t size = 0; size < 300000; size += 997) {
    tn_plan_options o = {.scratch = scratch, .scratch_size = size, .nodes = 20};
    tn_plan_result r = {.offsets = offsets};
    const tn_status status = tn_plan_solve(&p, &o, &r);
    refused += status == TN_ENOMEM;
    if (status != TN_OK)
      continue;
    planned++;
    tn_plan_report report;
    const tn_plan_options whole = options();
    TEST(tn_plan_verify(&p, offsets, NULL, &whole, &report) == TN_OK);
    TEST(report.fault == TN_PLAN_FAULT_NONE);
    TEST(r.memory <= size);
  }
  TEST(refused > 0 && planned > 0);
}

int
main(void)
{
  uint64_t state = test_seed();
  test_small();
  test_refusals();
  test_huge();
  test_conflict();
  test_conflict_search(&state);
  test_conflict_stopped();
  test_pools(&state);
  test_pool_costs();
  test_same(&state);
  test_circle();
  test_rough();
  test_deadline(&state);
  test_memory(&state);
  test_perfect(&state);
  test_traces(&state);
  test_oracle(&state);
  return test_done();
}
