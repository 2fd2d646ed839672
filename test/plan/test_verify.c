/* test_verify.c -- tn_plan_verify against a grid of cells
 *
 * The model paints every byte at every instant.  Random problems with random
 * offsets (right and wrong ones), then every mutant of a packing without
 * slack.  [plan.disjoint] [plan.align] [plan.fixed]
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include <tenure/plan.h>

enum {
  COUNT = 6,      // buffers at most
  TIMES = 10,     // instants of the grid
  BYTES = 32,     // addresses of the grid, doubled
  MOST_EXTRA = 4  // gaps, shares
};

typedef struct test_case {
  tn_plan_buffer buffers[COUNT];
  tn_plan_gap gaps[MOST_EXTRA];
  tn_plan_share shares[MOST_EXTRA];
  tn_plan_pool pools[2];
  tn_plan_problem problem;
  int64_t offsets[COUNT];
  uint32_t pool_of[COUNT];
} test_case;

static unsigned char scratch[1 << 16];

/* Does the buffer need the byte of the grid at that instant? */
static bool
needs(const test_case *c, size_t i, int64_t time, int64_t byte)
{
  const tn_plan_gap *gap = NULL;
  const int64_t at = byte - c->offsets[i];
  if (time < c->buffers[i].lower || time >= c->buffers[i].upper || at < 0 ||
      at >= c->buffers[i].size)
    return false;
  for (size_t g = 0; g < c->problem.gap_count; g++)
    if (c->gaps[g].buffer == i && time >= c->gaps[g].lower &&
        time < c->gaps[g].upper && (!gap || c->gaps[g].lower < gap->lower))
      gap = &c->gaps[g];
  return !gap || (at >= gap->low && at < gap->high);
}

static bool
may_share(const test_case *c, size_t i, size_t j)
{
  if (c->offsets[i] != c->offsets[j])
    return false;
  for (size_t s = 0; s < c->problem.share_count; s++)
    if ((c->shares[s].a == i && c->shares[s].b == j) ||
        (c->shares[s].a == j && c->shares[s].b == i))
      return true;
  return false;
}

static uint32_t
pool_of(const test_case *c, size_t i)
{
  return c->problem.pool_count ? c->pool_of[i] : 0;
}

/* Is there an instant and a byte that both need? */
static bool
do_meet(const test_case *c, size_t i, size_t j)
{
  if (pool_of(c, i) != pool_of(c, j) || may_share(c, i, j))
    return false;
  for (int64_t time = -TIMES; time < TIMES; time++)
    for (int64_t byte = 0; byte < 2 * BYTES; byte++)
      if (needs(c, i, time, byte) && needs(c, j, time, byte))
        return true;
  return false;
}

/* The end of the highest byte that the buffer needs; -1: it needs none. */
static int64_t
top_of(const test_case *c, size_t i)
{
  const int64_t at = c->offsets[i];
  for (int64_t byte = at + c->buffers[i].size; byte-- > at;)
    for (int64_t time = -TIMES; time < TIMES; time++)
      if (needs(c, i, time, byte))
        return byte + 1;
  return -1;
}

static bool
is_buffer_right(const test_case *c, size_t i)
{
  const tn_plan_buffer *const b = &c->buffers[i];
  const int64_t at = c->offsets[i];
  const bool is_pooled = c->problem.pool_count != 0;
  if (at < 0 || (b->align > 1 && at % b->align) ||
      (b->fixed >= 0 && (at != b->fixed || (is_pooled && c->pool_of[i]))))
    return false;
  if (is_pooled && c->pool_of[i] >= c->problem.pool_count)
    return false;
  const int64_t capacity =
      is_pooled ? c->pools[c->pool_of[i]].capacity : c->problem.capacity;
  return (capacity == 0 && !is_pooled) || top_of(c, i) <= capacity;
}

/* The model: is the plan right, and how high is it? */
static bool
is_right(const test_case *c, int64_t *height)
{
  int64_t heights[3] = {0};
  for (size_t i = 0; i < c->problem.count; i++) {
    if (!is_buffer_right(c, i))
      return false;
    for (size_t j = 0; j < i; j++)
      if (do_meet(c, i, j))
        return false;
    int64_t *const h = &heights[pool_of(c, i)];
    const int64_t top = top_of(c, i);
    *h = top > *h ? top : *h;
  }
  *height = heights[0] + heights[1];
  return true;
}

static tn_plan_report
verify(const test_case *c)
{
  const tn_plan_options options = {.scratch = scratch,
                                   .scratch_size = sizeof scratch};
  tn_plan_report report = {.fault = TN_PLAN_FAULT_POOL};
  TEST(tn_plan_verify(&c->problem, c->offsets, c->pool_of, &options, &report) ==
       TN_OK);
  return report;
}

static bool
agree(const test_case *c)
{
  int64_t height = 0;
  const bool right = is_right(c, &height);
  const tn_plan_report report = verify(c);
  if (!TEST(right == (report.fault == TN_PLAN_FAULT_NONE)))
    return false;
  if (right)
    return TEST(report.height == height);
  if (report.fault == TN_PLAN_FAULT_OVERLAP)
    return TEST(do_meet(c, report.first, report.second));
  return TEST(!is_buffer_right(c, report.first));
}

static int64_t
below(uint64_t *random, int64_t limit)
{
  return (int64_t)(test_random(random) % (uint64_t)limit);
}

static void
make_case(test_case *c, uint64_t *random)
{
  *c = (test_case){
      .pools = {{below(random, BYTES), 0}, {below(random, BYTES), 1}}};
  const size_t count = (size_t)below(random, COUNT + 1);
  c->problem = (tn_plan_problem){.buffers = c->buffers,
                                 .count = count,
                                 .gaps = c->gaps,
                                 .shares = c->shares,
                                 .pools = c->pools};
  for (size_t i = 0; i < count; i++) {
    tn_plan_buffer *const b = &c->buffers[i];
    b->lower = below(random, TIMES) - 3;
    b->upper = b->lower + below(random, TIMES - b->lower);
    b->size = below(random, 6);
    b->align = below(random, 4);
    c->offsets[i] = below(random, 18) * (b->align > 1 ? b->align : 1);
    b->fixed = below(random, 4) ? TN_PLAN_FREE
                                : c->offsets[i] + (below(random, 8) == 0);
    c->pool_of[i] = (uint32_t)(below(random, 9) ? below(random, 2) : 2);
    if (below(random, 60) == 0)
      c->offsets[i] += below(random, 3) - 1;
  }
  if (below(random, 3) == 0)
    c->problem.capacity = below(random, 2 * BYTES);
  if (below(random, 3) == 0)
    c->problem.pool_count = 2;
  for (; count && c->problem.gap_count < (size_t)below(random, MOST_EXTRA);
       c->problem.gap_count++) {
    const int64_t lower = below(random, TIMES) - 3;
    const size_t of = (size_t)below(random, (int64_t)count);
    const int64_t low = below(random, c->buffers[of].size + 1);
    const int64_t size = below(random, c->buffers[of].size - low + 1);
    c->gaps[c->problem.gap_count] =
        (tn_plan_gap){of, lower, lower + below(random, 5), low, low + size};
  }
  for (; count > 1 && c->problem.share_count < (size_t)below(random, 3);
       c->problem.share_count++) {
    const size_t a = (size_t)below(random, (int64_t)count);
    const size_t b =
        (a + 1 + (size_t)below(random, (int64_t)count - 1)) % count;
    c->shares[c->problem.share_count] = (tn_plan_share){a, b};
    if (below(random, 2))
      c->offsets[a] = c->offsets[b];
  }
}

static void
test_random_plans(uint64_t *random)
{
  size_t right = 0, wrong = 0;
  for (int i = 0; i < 40000; i++) {
    test_case c;
    int64_t height;
    make_case(&c, random);
    if (!agree(&c))
      return;
    if (is_right(&c, &height))
      right++;
    else
      wrong++;
  }
  TEST(right > 4000 && wrong > 4000);
}

/* A packing without slack: any change of one offset, lifetime or size is
 * wrong, and every one is found.  12 bytes high, 8 instants long:
 *
 *     |  3  |  4  |
 *     |-----+-----|
 *     | 1 |   2   |
 *     |-----------|
 *     |     0     |
 */
static const test_case perfect = {
    .buffers = {TN_PLAN_BUFFER(0, 8, 4), TN_PLAN_BUFFER(0, 3, 4),
                TN_PLAN_BUFFER(3, 8, 4), TN_PLAN_BUFFER(0, 5, 4),
                TN_PLAN_BUFFER(5, 8, 4)},
    .problem = {.count = 5, .capacity = 12},
    .offsets = {0, 4, 4, 8, 8},
};

static bool
is_found(test_case c)
{
  c.problem.buffers = c.buffers;
  int64_t height;
  const bool is_wrong = !is_right(&c, &height);
  return TEST(is_wrong) && TEST(verify(&c).fault != TN_PLAN_FAULT_NONE);
}

static void
test_mutants(void)
{
  test_case right = perfect;
  right.problem.buffers = right.buffers;
  TEST(verify(&right).fault == TN_PLAN_FAULT_NONE);
  TEST(verify(&right).height == 12);
  for (size_t i = 0; i < perfect.problem.count; i++) {
    for (int64_t at = -3; at <= 14; at++) {
      test_case moved = perfect;
      moved.offsets[i] = at;
      if (at != perfect.offsets[i])
        is_found(moved);
    }
    test_case m = perfect;
    m.buffers[i].size++;
    is_found(m);
    m = perfect;
    m.buffers[i].fixed = m.offsets[i] + 1;
    is_found(m);
    m = perfect;
    m.buffers[i].align = 7;
    if (m.offsets[i])
      is_found(m);
    m = perfect;
    if (m.buffers[i].upper++ < 8)
      is_found(m);
    m = perfect;
    if (m.buffers[i].lower-- > 0)
      is_found(m);
    for (size_t j = 0; j < i; j++) {
      m = perfect;
      m.offsets[i] = perfect.offsets[j];
      m.offsets[j] = perfect.offsets[i];
      if (m.offsets[i] != m.offsets[j] &&
          perfect.buffers[i].upper != perfect.buffers[j].upper)
        is_found(m);
    }
  }
}

/* A staircase of short buffers with a few long ones, going up or down: the
 * neighbour that a buffer which is too large runs into is many dead pieces
 * away, so that the set of live pieces is searched on several levels. */
static void
test_many(bool is_down)
{
  enum { MANY = 20000, STEP = 8, LONG = 4801 };
  static tn_plan_buffer buffers[MANY];
  static int64_t offsets[MANY];
  static unsigned char memory[MANY * 256];
  const tn_plan_problem problem = {.buffers = buffers, .count = MANY};
  const tn_plan_options options = {.scratch = memory,
                                   .scratch_size = sizeof memory};
  for (int64_t i = 0; i < MANY; i++) {
    const int64_t end = i % LONG ? i + 1 : 2 * MANY;
    buffers[i] = (tn_plan_buffer)TN_PLAN_BUFFER(i, end, STEP);
    offsets[i] = STEP * (is_down ? MANY - 1 - i : i);
  }
  tn_plan_report report;
  TEST(tn_plan_verify(&problem, offsets, NULL, &options, &report) == TN_OK);
  TEST(report.fault == TN_PLAN_FAULT_NONE && report.height == MANY * STEP);
  for (size_t low = 0; low + LONG < MANY; low += LONG)
    for (size_t away = 1; away < LONG; away = away * 3 + 1) {
      const size_t grown = is_down ? low + away : low;
      buffers[grown].size += STEP * (int64_t)away - STEP + 1;
      TEST(tn_plan_verify(&problem, offsets, NULL, &options, &report) == TN_OK);
      TEST(report.fault == TN_PLAN_FAULT_OVERLAP);
      buffers[grown].size = STEP;
    }
}

static tn_status
status_of(const tn_plan_problem *problem, size_t memory)
{
  static const int64_t offsets[COUNT];
  const tn_plan_options options = {.scratch = scratch + 1,
                                   .scratch_size = memory};
  tn_plan_report report;
  return tn_plan_verify(problem, offsets, NULL, &options, &report);
}

static tn_status
status_of_buffer(tn_plan_buffer buffer)
{
  const tn_plan_problem problem = {.buffers = &buffer, .count = 1};
  return status_of(&problem, sizeof scratch - 1);
}

static void
test_refusals(void)
{
  const int64_t max = TN_PLAN_MAX;
  const tn_plan_buffer good = TN_PLAN_BUFFER(0, 1, 1);
  TEST(status_of_buffer(good) == TN_OK);
  TEST(status_of_buffer((tn_plan_buffer){-max, max, max, 1, -1}) == TN_OK);
  TEST(status_of_buffer((tn_plan_buffer){2, 1, 1, 1, -1}) == TN_EINVAL);
  TEST(status_of_buffer((tn_plan_buffer){0, 1, -1, 1, -1}) == TN_EINVAL);
  TEST(status_of_buffer((tn_plan_buffer){0, 1, 1, -1, -1}) == TN_EINVAL);
  TEST(status_of_buffer((tn_plan_buffer){0, 1, 1, 1, -2}) == TN_EINVAL);
  TEST(status_of_buffer((tn_plan_buffer){0, 1, max + 1, 1, -1}) == TN_ERANGE);
  TEST(status_of_buffer((tn_plan_buffer){0, max + 1, 1, 1, -1}) == TN_ERANGE);
  const tn_plan_gap gap = {1, 0, 1, 0, 0};
  const tn_plan_share self = {0, 0};
  tn_plan_problem p = {.buffers = &good, .count = 1};
  TEST(status_of(&p, 16) == TN_ENOMEM);
  TEST(status_of(&p, 0) == TN_ENOMEM);
  p.gaps = &gap, p.gap_count = 1;
  TEST(status_of(&p, sizeof scratch - 1) == TN_EINVAL);
  p.shares = &self, p.gap_count = 0, p.share_count = 1;
  TEST(status_of(&p, sizeof scratch - 1) == TN_EINVAL);
}

/* Offsets near the end of the numbers neither wrap nor pass. */
static void
test_large_offsets(void)
{
  test_case c = {
      .buffers = {TN_PLAN_BUFFER(0, 1, TN_PLAN_MAX), TN_PLAN_BUFFER(0, 1, 1)},
      .problem = {.count = 1}};
  c.problem.buffers = c.buffers;
  TEST(verify(&c).fault == TN_PLAN_FAULT_NONE);
  c.offsets[0] = 1;
  TEST(verify(&c).fault == TN_PLAN_FAULT_CAPACITY);
  c.offsets[0] = INT64_MAX;
  TEST(verify(&c).fault == TN_PLAN_FAULT_CAPACITY);
  c.offsets[0] = 0, c.problem.count = 2, c.offsets[1] = TN_PLAN_MAX - 1;
  TEST(verify(&c).fault == TN_PLAN_FAULT_OVERLAP);
}

/* In the order of their first bytes b, c, a: the first byte that a needs is far
 * above its offset. */
static void
test_window_order(void)
{
  test_case c = {.buffers = {TN_PLAN_BUFFER(0, 9, 30), TN_PLAN_BUFFER(1, 9, 5),
                             TN_PLAN_BUFFER(2, 9, 8)},
                 .gaps = {{0, 0, 9, 20, 30}},
                 .problem = {.count = 3, .gap_count = 1},
                 .offsets = {0, 5, 12}};
  c.problem.buffers = c.buffers;
  c.problem.gaps = c.gaps;
  TEST(verify(&c).fault == TN_PLAN_FAULT_NONE);
  c.buffers[2].size = 9;
  TEST(verify(&c).fault == TN_PLAN_FAULT_OVERLAP);
}

int
main(void)
{
  uint64_t random = test_seed();
  test_random_plans(&random);
  test_mutants();
  test_many(false);
  test_many(true);
  test_window_order();
  test_refusals();
  test_large_offsets();
  return test_done();
}
