/* bound.c -- proofs that a node has no plan (see search.h)
 *
 * Release dates: in each section the unplaced items, taken in order of the
 * lowest offset each can have, stack up at least to the sum that a machine
 * would need to run them as jobs (1|r|Cmax).
 * SPDX-License-Identifier: MIT
 */
#include "plan/engine.h"

/* Stack the items of the child onto each section of [a, b) in order of
 * release. */
static void
bound_stack(tni_engine *e, const uint32_t *sorted, uint32_t count, uint32_t a,
            uint32_t b)
{
  const tni_search_problem *const p = e->problem;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t item = sorted[i];
    const int32_t release = e->release[item];
    for (uint32_t k = p->first[item]; k < p->first[item + 1]; k++) {
      const uint32_t s0 = p->piece[k].s0 > a ? p->piece[k].s0 : a;
      const uint32_t s1 = p->piece[k].s1 < b ? p->piece[k].s1 : b;
      const int32_t size = p->piece[k].size;
      for (uint32_t s = s0; s < s1; s++) {
        const int32_t top = e->top[s] > release ? e->top[s] : release;
        e->top[s] = top + size;
      }
    }
  }
}

/* An unplaced item whose turn has passed floats: it will rest on one placed
 * later, which reaches into the place it could have had; otherwise it could be
 * moved there.  Returns the lowest offset that leaves it, INT32_MAX when no
 * item can hold it up.  by_rest: the child's items by rest.  [search.whole] */
static int32_t
bound_float(const tni_engine *e, uint32_t item, const uint32_t *by_rest,
            uint32_t count, int32_t low)
{
  const tni_search_problem *const p = e->problem;
  const int32_t top = e->rest[item] + p->size[item];
  int32_t least = INT32_MAX;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t other = by_rest[i];
    const int32_t rest = e->rest[other] > low ? e->rest[other] : low;
    if (rest >= top)
      break;
    if (other == item)
      continue;
    const int32_t above = tni_search_above(p, other, item);
    if (above && rest + above < least)
      least = rest + above;
  }
  return least;
}

bool
tni_engine_may_fit(tni_engine *e, const engine_frame *child)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const ids = e->ids + child->ids;
  const uint32_t n = child->count;
  uint32_t a = child->hull0, b = child->hull1;
  for (uint32_t i = 0; i < n; i++) {
    e->key[ids[i]] = (uint64_t)e->rest[ids[i]];
    e->sorted[i] = ids[i];
  }
  tni_plan_sort(e->sorted, e->key, n, e->sorted + n);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t item = ids[i];
    const int32_t rest = e->rest[item];
    e->release[item] = rest > child->low ? rest : child->low;
    if (rest > child->low || (rest == child->low && i >= child->low_at))
      continue;
    const int32_t least = bound_float(e, item, e->sorted, n, child->low);
    if (least == INT32_MAX || least > p->latest[item])
      return false;
    e->release[item] = tni_search_align(least, p->align[item]);
  }
  uint32_t count = 0;
  if (b > a) {
    a = child->s0;
    b = child->s1;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t item = e->sorted[i];
    if (p->s0[item] >= b || p->s1[item] <= a)
      continue;
    e->key[item] = (uint64_t)e->release[item];
    e->sorted[count++] = item;
  }
  tni_plan_sort(e->sorted, e->key, count, e->sorted + count);
  for (uint32_t s = a; s < b; s++)
    e->top[s] = child->low;
  bound_stack(e, e->sorted, count, a, b);
  for (uint32_t s = a; s < b; s++)
    if (e->top[s] > p->ceiling)
      return false;
  return true;
}
