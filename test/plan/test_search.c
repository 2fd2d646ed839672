/* test_search.c -- the exact search answers as trying everything does
 *
 * A sample of what slow_search.c enumerates.
 * Tags  [search.rest] [search.order] [search.trail] [search.whole]
 * SPDX-License-Identifier: MIT
 */
#include "search_check.h"

int
main(void)
{
  uint64_t state = test_seed();
  for (int i = 0; i < 8000; i++) {
    oracle_case c;
    oracle_random(&c, &state, i & 1);
    search_check(&c);
  }
  return test_done();
}
