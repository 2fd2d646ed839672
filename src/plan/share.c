/* share.c -- pairs that may share in place (see solver.h)
 *
 * A pair either has one offset, and is then one item whose size changes over
 * time, or is like any other two.  With few pairs every choice is planned,
 * all shared first; with many only all and none, and the bound is then what
 * the load says.
 * SPDX-License-Identifier: MIT
 */
#include "plan/solver.h"

#include <string.h>

enum { SHARE_PAIRS_MAX = 6 };  // every choice of so many is tried

typedef struct share_run {
  tni_solver *solver;
  const tn_plan_problem *problem;
  tni_plan_model model;  // of the buffers, each on its own
  uint32_t *item;        // of a buffer in that model, or NONE
  uint32_t *leader;
} share_run;

int64_t
tni_share_load(const tni_plan_model *m, const tn_plan_problem *p,
               const uint32_t *item, int64_t *load, uint32_t *peak)
{
  memcpy(load, m->load, m->sections * sizeof *load);
  for (size_t k = 0; k < p->share_count; k++) {
    const uint32_t i = item[p->shares[k].a], j = item[p->shares[k].b];
    if (i == TNI_PLAN_NONE || j == TNI_PLAN_NONE)
      continue;
    for (uint32_t a = m->first[i]; a < m->first[i + 1]; a++)
      for (uint32_t b = m->first[j]; b < m->first[j + 1]; b++) {
        const tni_plan_piece *const x = &m->piece[a], *const y = &m->piece[b];
        const uint32_t end = x->s1 < y->s1 ? x->s1 : y->s1;
        const int64_t base = x->base > y->base ? x->base : y->base;
        const int64_t one = x->base + x->size, two = y->base + y->size;
        const int64_t saved = (one < two ? one : two) - base;
        if (saved <= 0)
          continue;
        for (uint32_t s = x->s0 > y->s0 ? x->s0 : y->s0; s < end; s++)
          load[s] -= saved;
      }
  }
  *peak = 0;
  for (uint32_t s = 1; s < m->sections; s++)
    if (load[s] > load[*peak])
      *peak = s;
  return load[*peak];
}

void
tni_share_items(const tni_plan_model *m, size_t count, uint32_t *item)
{
  memset(item, 0xff, count * sizeof *item);
  for (uint32_t i = 0; i < m->count; i++)
    item[m->buffer[i]] = i;
}

static bool
share_is_pair(const tn_plan_problem *p, size_t a, size_t b)
{
  for (size_t k = 0; k < p->share_count; k++)
    if ((p->shares[k].a == a && p->shares[k].b == b) ||
        (p->shares[k].a == b && p->shares[k].b == a))
      return true;
  return false;
}

/* Whether a fixed offset suits the other buffer. */
static bool
share_suits(const tn_plan_buffer *fixed, const tn_plan_buffer *other)
{
  if (fixed->fixed == TN_PLAN_FREE)
    return true;
  return other->fixed == TN_PLAN_FREE
             ? other->align <= 1 || fixed->fixed % other->align == 0
             : other->fixed == fixed->fixed;
}

/* Whether a and b can have the same offset. */
static bool
share_is_allowed(const share_run *r, size_t a, size_t b)
{
  const tn_plan_buffer *const x = &r->problem->buffers[a];
  const tn_plan_buffer *const y = &r->problem->buffers[b];
  const uint32_t i = r->item[a], j = r->item[b];
  if (i == TNI_PLAN_NONE || j == TNI_PLAN_NONE || !share_suits(x, y) ||
      !share_suits(y, x))
    return false;
  int64_t low, high;
  return share_is_pair(r->problem, a, b) ||
         !tni_plan_meets(&r->model, i, j, 0, &low, &high);
}

/* Give b's group the leader of a's; false when two of them clash. */
static bool
share_join(share_run *r, size_t a, size_t b)
{
  const size_t n = r->problem->count;
  const uint32_t to = r->leader[a], from = r->leader[b];
  if (to == from)
    return true;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; r->leader[i] == to && j < n; j++)
      if (r->leader[j] == from && !share_is_allowed(r, i, j))
        return false;
  for (size_t j = 0; j < n; j++)
    if (r->leader[j] == from)
      r->leader[j] = to;
  return true;
}

/* Group by the pairs whose bits are set (all, when there are many); false
 * when some of these cannot be: then another choice covers it. */
static bool
share_group(share_run *r, unsigned choice, bool is_all)
{
  bool ok = true;
  for (size_t i = 0; i < r->problem->count; i++)
    r->leader[i] = (uint32_t)i;
  for (size_t k = 0; k < r->problem->share_count; k++)
    if (is_all || (choice >> k & 1))
      ok &= share_join(r, r->problem->shares[k].a, r->problem->shares[k].b);
  return ok;
}

/* Plan one choice with a fair part of what is left. */
static tn_status
share_try(share_run *r, unsigned left)
{
  tni_solver *const s = r->solver;
  const tn_plan_options *const o = s->options;
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  s->nodes_stop = o->nodes ? s->nodes + (o->nodes - s->nodes) / left : 0;
  if (o->clock) {
    const uint64_t now = o->clock(o->context);
    s->deadline = now < o->deadline ? now + (o->deadline - now) / left : now;
  }
  s->is_late = false;
  s->leader = r->leader;
  const tn_status status = tni_solve_model(s, NULL);
  s->leader = NULL;
  tni_plan_mark_reset(s->memory, mark);
  return status;
}

/* Try the choices; the least of their bounds is the bound. */
static tn_status
share_choices(share_run *r)
{
  tni_solver *const s = r->solver;
  const bool is_few = r->problem->share_count <= SHARE_PAIRS_MAX;
  const unsigned choices = is_few ? 1u << r->problem->share_count : 2;
  int64_t bound = INT64_MAX, height = -1;
  bool is_infeasible = is_few;
  for (unsigned left = choices; left > 0; left--) {
    const bool is_all = !is_few && left == choices;
    if (!share_group(r, left - 1, is_all) && !is_all)
      continue;
    const tn_status status = share_try(r, left);
    if (status != TN_OK)
      return status;
    const int64_t least = s->is_rough ? s->least : s->bound;
    is_infeasible &= s->is_infeasible && !s->is_rough;
    if (least < bound && (!s->is_infeasible || s->is_rough))
      bound = least;
    if (s->height >= 0 && (height < 0 || s->height < height))
      height = s->height;
    if (height == s->least || s->is_cancelled ||
        (s->options->goal == TN_PLAN_FIT && height >= 0 &&
         height <= s->capacity))
      break;
    if (left == 1 && is_few && bound != INT64_MAX && bound > s->least)
      s->least = bound;
  }
  s->height = height;
  s->bound = s->least;
  s->is_infeasible = is_infeasible && (height < 0 || height > s->capacity);
  return TN_OK;
}

tn_status
tni_share_solve(tni_solver *s)
{
  const tn_plan_problem *const p = s->problem;
  share_run r = {.solver = s, .problem = p};
  const tn_status status =
      tni_plan_model_build(&r.model, p, NULL, NULL, s->memory);
  if (status != TN_OK)
    return status;
  if (r.model.count == 0)
    return tni_solve_model(s, NULL);
  int64_t *const load =
      tni_plan_take(s->memory, r.model.sections, sizeof *load);
  r.item = tni_plan_take(s->memory, p->count, sizeof *r.item);
  r.leader = tni_plan_take(s->memory, p->count, sizeof *r.leader);
  if (!load || !r.item || !r.leader)
    return TN_ENOMEM;
  tni_share_items(&r.model, p->count, r.item);
  uint32_t peak;
  s->least = tni_share_load(&r.model, p, r.item, load, &peak);
  const tn_status done = share_choices(&r);
  if (s->bound == load[peak]) {
    s->result->witness_is_load = true;
    s->result->witness_lower = r.model.begin[peak];
    s->result->witness_upper = r.model.end[peak];
  }
  return done;
}
