/* bound.c -- proofs that a node has no plan (see search.h)
 *
 * Release dates: in each section the unplaced items, taken in order of the
 * lowest offset each can have, stack up at least to the sum that a machine
 * would need to run them as jobs (1|r|Cmax).
 * SPDX-License-Identifier: MIT
 */
#include "plan/engine.h"

#include <string.h>

/* Four sections at a time: every target has such registers. */
typedef int32_t bound_lanes __attribute__((vector_size(16)));

enum { BOUND_LANES = 4 };

/* top = max(top, release) + size, on sections [s0, s1). */
static inline void
bound_stack(int32_t *top, uint32_t s0, uint32_t s1, int32_t release,
            int32_t size)
{
  uint32_t s = s0;
  const bound_lanes least = {release, release, release, release};
  for (; s + BOUND_LANES <= s1; s += BOUND_LANES) {
    bound_lanes t;
    memcpy(&t, top + s, sizeof t);
    const bound_lanes is_low = t < least;
    t = ((t & ~is_low) | (least & is_low)) + size;
    memcpy(top + s, &t, sizeof t);
  }
  for (; s < s1; s++)
    top[s] = (top[s] > release ? top[s] : release) + size;
}

/* Stack an item onto those of its sections that are in [a, b). */
static inline void
bound_stack_item(tni_engine *e, uint32_t item, int32_t release, uint32_t a,
                 uint32_t b)
{
  const tni_search_problem *const p = e->problem;
  for (uint32_t k = p->first[item]; k < p->first[item + 1]; k++) {
    const uint32_t s0 = p->piece[k].s0 > a ? p->piece[k].s0 : a;
    const uint32_t s1 = p->piece[k].s1 < b ? p->piece[k].s1 : b;
    if (s0 < s1)
      bound_stack(e->top, s0, s1, release, p->piece[k].size);
  }
}

/* An unplaced item whose turn has passed floats: it will rest on one placed
 * later, which reaches into the place it could have had; otherwise it could be
 * moved there.  Returns the lowest offset that leaves it, INT32_MAX when no
 * item can hold it up.  [search.whole] */
static int32_t
bound_float(const tni_engine *e, const engine_frame *f, uint32_t item)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const by_rest = e->by_rest + f->ids;
  const int32_t top = e->rest[item] + p->size[item];
  int32_t least = INT32_MAX;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t other = by_rest[i];
    const int32_t rest = e->rest[other] > f->low ? e->rest[other] : f->low;
    if (rest >= top || rest >= least)
      break;
    const int32_t above = other == item ? 0 : tni_search_above(p, other, item);
    if (above && rest + above < least)
      least = rest + above;
  }
  return least;
}

/* Find the floating items, sorted by where they may go, into e->floating; the
 * hull grows by their sections.  False when one has nowhere to go. */
static bool
bound_find_floating(tni_engine *e, engine_frame *f)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const ids = e->ids + f->ids;
  e->floating_count = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t item = ids[i];
    if (e->rest[item] > f->low || (e->rest[item] == f->low && i >= f->low_at))
      continue;
    const int32_t least = bound_float(e, f, item);
    if (least > p->latest[item])
      return false;
    const int32_t release = tni_search_align(least, p->align[item]);
    uint32_t at = e->floating_count++;
    for (; at > 0 && e->release[e->floating[at - 1]] > release; at--)
      e->floating[at] = e->floating[at - 1];
    e->floating[at] = (uint16_t)item;
    e->release[item] = release;
    f->hull0 = p->s0[item] < f->hull0 ? p->s0[item] : f->hull0;
    f->hull1 = p->s1[item] > f->hull1 ? p->s1[item] : f->hull1;
  }
  return true;
}

bool
tni_engine_may_fit(tni_engine *e, engine_frame *f)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const by_rest = e->by_rest + f->ids;
  if (!bound_find_floating(e, f))
    return false;
  const uint32_t a = f->hull0, b = f->hull1, floating = e->floating_count;
  for (uint32_t s = a; s < b; s++)
    e->top[s] = f->low;
  for (uint32_t i = 0; i < floating; i++)
    e->is_floating[e->floating[i]] = true;
  uint32_t next = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t item = by_rest[i];
    if (e->is_floating[item])
      continue;
    for (; next < floating && e->release[e->floating[next]] < e->rest[item];
         next++)
      bound_stack_item(e, e->floating[next], e->release[e->floating[next]], a,
                       b);
    bound_stack_item(e, item, e->rest[item], a, b);
  }
  for (; next < floating; next++)
    bound_stack_item(e, e->floating[next], e->release[e->floating[next]], a, b);
  for (uint32_t i = 0; i < floating; i++)
    e->is_floating[e->floating[i]] = false;
  for (uint32_t s = a; s < b; s++)
    if (e->top[s] > p->ceiling)
      return false;
  return true;
}
