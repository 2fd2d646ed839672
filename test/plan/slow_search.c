/* slow_search.c -- every small instance, against trying everything
 *
 * All multisets of buffers over the lifetimes within four instants, for the
 * counts and sizes below; then random ones with alignment, gaps and fixed
 * offsets: more than a million cases, each by every engine at the optimum and
 * just below it.  Then such whose gaps keep windows.  Then perfect packings with two pieces out of place, with and
 * without memory of failures.
 * Tags  [search.failed] [search.rest] [search.order] [search.trail] [search.whole]
 *       [window.low] [window.whole]
 * SPDX-License-Identifier: MIT
 */
#include "search_check.h"

enum { CUTS = 10000, WINDOWS = 300000 };

/* All kinds of buffer: every lifetime within `times` instants, every size. */
static size_t
make_kinds(tn_plan_buffer *kinds, int64_t times, int64_t sizes)
{
  size_t count = 0;
  for (int64_t lower = 0; lower < times; lower++)
    for (int64_t upper = lower + 1; upper <= times; upper++)
      for (int64_t size = 1; size <= sizes; size++)
        kinds[count++] = (tn_plan_buffer)TN_PLAN_BUFFER(lower, upper, size);
  return count;
}

/* Every multiset of `count` kinds from `from` on. */
static unsigned long
enumerate(oracle_case *c, const tn_plan_buffer *kinds, size_t from,
          size_t kind_count, size_t count)
{
  if (c->count == count) {
    search_check(c);
    return 1;
  }
  unsigned long cases = 0;
  for (size_t k = from; k < kind_count; k++) {
    c->buffer[c->count++] = kinds[k];
    cases += enumerate(c, kinds, k, kind_count, count);
    c->count--;
  }
  return cases;
}

int
main(void)
{
  static const struct {
    size_t count;
    int64_t times, sizes;
  } sets[] = {{1, 4, 4}, {2, 4, 4}, {3, 4, 4}, {4, 4, 3},
              {5, 3, 4}, {5, 4, 2}, {6, 3, 3}, {6, 4, 2}};
  unsigned long cases = 0;
  uint64_t state = test_seed();
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    tn_plan_buffer kinds[40];
    oracle_case c = {.count = 0};
    const size_t count = make_kinds(kinds, sets[i].times, sets[i].sizes);
    cases += enumerate(&c, kinds, 0, count, sets[i].count);
  }
  for (; cases < 1000000; cases++) {
    oracle_case c;
    oracle_random(&c, &state, true);
    search_check(&c);
  }
  for (int i = 0; i < WINDOWS; i++) {
    oracle_case c;
    oracle_random_windows(&c, &state, i % 2);
    search_check(&c);
  }
  TEST(search_windowed > WINDOWS / 10);
  TEST(search_recalled > 0);
  search_recalled = 0;
  for (int i = 0; i < CUTS; i++)
    search_check_cut(&state);
  TEST(search_recalled > 10 * CUTS);  // about 18
  return test_done();
}
