/* numbers.c -- what divides, and what is divided by, two alignments
 * SPDX-License-Identifier: MIT
 */
#include "plan/plan.h"

int64_t
tni_plan_gcd(int64_t a, int64_t b)
{
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

bool
tni_plan_join_align(int64_t *align, int64_t other)
{
  const int64_t part = *align / tni_plan_gcd(*align, other);
  if (part > TN_PLAN_MAX / other)
    return false;
  *align = part * other;
  return true;
}
