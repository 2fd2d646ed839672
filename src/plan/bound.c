/* bound.c -- proofs that a node has no plan (see search.h)
 *
 * Release dates: in each section the unplaced items, taken in order of the
 * lowest offset each can have, stack up at least to the sum that a machine
 * would need to run them as jobs (1|r|Cmax).  The section that failed last is
 * looked at first and alone: mostly it fails again.
 * SPDX-License-Identifier: MIT
 */
#include "plan/engine.h"

#include <string.h>

/* Every target has registers of 16 bytes: four sections at a time, or eight
 * when 16 bits hold all numbers. */
enum { BOUND_WIDE = 4, BOUND_NARROW = 8, BOUND_NARROW_MAX = INT16_MAX / 2 };

static inline void
bound_lift_wide(int32_t *top, int32_t release, int32_t size)
{
  for (unsigned k = 0; k < BOUND_WIDE; k++)
    top[k] = (top[k] > release ? top[k] : release) + size;
}

static inline void
bound_lift_narrow(int16_t *top, int16_t release, int16_t size)
{
  for (unsigned k = 0; k < BOUND_NARROW; k++)
    top[k] = (int16_t)((top[k] > release ? top[k] : release) + size);
}

/* The same in the lanes where mask is -1, not where it is 0. */
static inline void
bound_lift_masked(int16_t *restrict top, const int16_t *restrict mask,
                  int16_t release, int16_t size)
{
  for (unsigned k = 0; k < BOUND_NARROW; k++) {
    const int16_t least = (int16_t)(release & mask[k]);
    top[k] = (int16_t)((top[k] > least ? top[k] : least) + (size & mask[k]));
  }
}

static inline void
bound_stack_wide(int32_t *top, uint32_t s0, uint32_t s1, int32_t release,
                 int32_t size)
{
  for (; s0 + BOUND_WIDE <= s1; s0 += BOUND_WIDE)
    bound_lift_wide(top + s0, release, size);
  for (; s0 < s1; s0++)
    top[s0] = (top[s0] > release ? top[s0] : release) + size;
}

/* top has room for a whole register past s1. */
static inline void
bound_stack_narrow(int16_t *top, uint32_t s0, uint32_t s1, int16_t release,
                   int16_t size)
{
  static const int16_t ends[2 * BOUND_NARROW] = {-1, -1, -1, -1,
                                                 -1, -1, -1, -1};
  for (; s0 + BOUND_NARROW <= s1; s0 += BOUND_NARROW)
    bound_lift_narrow(top + s0, release, size);
  if (s0 < s1)
    bound_lift_masked(top + s0, ends + BOUND_NARROW - (s1 - s0), release, size);
}

/* top = max(top, release) + size, on the item's sections in [a, b). */
static inline void
bound_stack(tni_engine *e, uint32_t item, uint32_t a, uint32_t b)
{
  const tni_search_problem *const p = e->problem;
  const int32_t release = e->release[item];
  for (uint32_t k = p->first[item]; k < p->first[item + 1]; k++) {
    const uint32_t s0 = p->piece[k].s0 > a ? p->piece[k].s0 : a;
    const uint32_t s1 = p->piece[k].s1 < b ? p->piece[k].s1 : b;
    if (s0 >= s1)
      continue;
    if (e->is_narrow)
      bound_stack_narrow(e->narrow, s0, s1, (int16_t)release,
                         (int16_t)p->piece[k].size);
    else
      bound_stack_wide(e->top, s0, s1, release, p->piece[k].size);
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
    e->release[item] = e->rest[item];
    if (e->rest[item] > f->low || (e->rest[item] == f->low && i >= f->low_at))
      continue;
    const int32_t least = bound_float(e, f, item);
    if (least > p->latest[item])
      return false;
    const int32_t release = tni_search_align(least, p->align[item]);
    if (release > p->latest[item])
      return false;
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

/* Line up the items that have to do with the hull by release. */
static uint32_t
bound_line_up(tni_engine *e, const engine_frame *f)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const by_rest = e->by_rest + f->ids;
  const uint32_t floating = e->floating_count;
  uint32_t count = 0, next = 0;
  int32_t stop = floating ? e->release[e->floating[0]] : INT32_MAX;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t item = by_rest[i];
    if (e->release[item] != e->rest[item] || p->s0[item] >= f->hull1 ||
        p->s1[item] <= f->hull0)
      continue;
    while (stop < e->rest[item]) {
      e->line[count++] = e->floating[next++];
      stop = next < floating ? e->release[e->floating[next]] : INT32_MAX;
    }
    e->line[count++] = (uint16_t)item;
  }
  while (next < floating)
    e->line[count++] = e->floating[next++];
  return count;
}

/* Whether the items lined up go into this one section. */
static bool
bound_fits_section(const tni_engine *e, uint32_t count, int32_t top, uint32_t s)
{
  const tni_search_problem *const p = e->problem;
  for (uint32_t i = 0; i < count; i++)
    top = tni_search_stack(p, e->line[i], s, e->release[e->line[i]], top);
  return top <= p->ceiling;
}

/* The section in the hull in which they stack highest, when that is above the
 * ceiling; or NONE. */
static uint32_t
bound_worst(tni_engine *e, uint32_t count, const engine_frame *f)
{
  const uint32_t a = f->hull0, b = f->hull1;
  for (uint32_t s = a; s < b; s++)
    if (e->is_narrow)
      e->narrow[s] = (int16_t)f->low;
    else
      e->top[s] = f->low;
  for (uint32_t i = 0; i < count; i++)
    bound_stack(e, e->line[i], a, b);
  uint32_t worst = TNI_PLAN_NONE;
  int32_t most = e->problem->ceiling;
  for (uint32_t s = a; s < b; s++) {
    const int32_t top = e->is_narrow ? e->narrow[s] : e->top[s];
    worst = top > most ? s : worst;
    most = top > most ? top : most;
  }
  return worst;
}

bool
tni_engine_may_fit(tni_engine *e, engine_frame *f)
{
  if (!bound_find_floating(e, f))
    return false;
  const uint32_t count = bound_line_up(e, f);
  if (e->failed >= f->hull0 && e->failed < f->hull1 &&
      !bound_fits_section(e, count, f->low, e->failed))
    return false;
  const uint32_t worst = bound_worst(e, count, f);
  if (worst == TNI_PLAN_NONE)
    return true;
  e->failed = worst;
  return false;
}

void
tni_engine_choose_width(tni_engine *e)
{
  const tni_search_problem *const p = e->problem;
  e->is_narrow = p->ceiling <= BOUND_NARROW_MAX;
  for (uint32_t s = 0; s < p->sections; s++)
    e->is_narrow &= e->total[s] <= BOUND_NARROW_MAX;
}
