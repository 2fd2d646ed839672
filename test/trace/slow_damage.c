/* slow_damage.c -- 2,000 damaged traces; see damage.h
 *
 * [trace.rest] damage costs itself; [trace.index] no number is followed that
 * points nowhere.
 * SPDX-License-Identifier: MIT
 */
#include "damage.h"

int
main(void)
{
  uint64_t random = test_seed();
  damage_test(&random, 2000);
  return test_done();
}
