/* conflict.c -- which buffers cannot be placed together (see solver.h)
 *
 * Source  the irreducible infeasible subset of linear programming, by
 *         deletion: leave out whatever the contradiction survives without.
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"
#include "plan/solver.h"

void
tni_conflict_add(tni_solver *s, uint32_t item)
{
  tn_plan_result *const r = s->result;
  if (r->conflict)
    r->conflict[r->conflict_count++] = s->model->buffer[item];
}

/* The first fixed item before i that shares a byte with it. */
static uint32_t
conflict_partner(const tni_plan_model *m, uint32_t i)
{
  for (uint32_t j = 0; j < i; j++) {
    if (m->fixed[j] == TN_PLAN_FREE)
      continue;
    int64_t low, high;
    if (tni_plan_meets(m, i, j, m->fixed[j] - m->fixed[i], &low, &high))
      return j;
  }
  return TNI_PLAN_NONE;
}

bool
tni_conflict_fixed(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  bool found = false, ok = true;
  tni_fit fit = {0};
  for (uint32_t i = 0; i < m->count && ok && !found; i++) {
    if (m->fixed[i] == TN_PLAN_FREE)
      continue;
    ok = fit.model || tni_fit_init(&fit, m, s->memory);
    fit.ceiling = s->capacity;
    found = ok && !tni_fit_is_free(&fit, i, m->fixed[i]);
    if (found) {
      const uint32_t partner = conflict_partner(m, i);
      tni_conflict_add(s, i);
      if (partner != TNI_PLAN_NONE && m->fixed[i] <= s->capacity - m->size[i])
        tni_conflict_add(s, partner);
      s->result->conflict_is_irreducible = true;
    } else if (ok) {
      ok = tni_fit_put(&fit, i, m->fixed[i]);
    }
  }
  tni_plan_mark_reset(s->memory, mark);
  return found;
}

/* Whether the item takes room in the section; its size there. */
static int64_t
conflict_size_at(const tni_plan_model *m, uint32_t item, uint32_t section)
{
  for (uint32_t p = m->first[item]; p < m->first[item + 1]; p++)
    if (m->piece[p].s0 <= section && section < m->piece[p].s1)
      return m->piece[p].size;
  return 0;
}

void
tni_conflict_load(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  int64_t load = m->load[m->peak];
  if (load <= s->capacity)
    return;
  s->result->conflict_is_irreducible = true;
  for (uint32_t i = 0; i < m->count; i++) {
    const int64_t size = conflict_size_at(m, i, m->peak);
    if (size == 0)
      continue;
    if (load - size > s->capacity) {
      load -= size;  // the others are too much already
      continue;
    }
    tni_conflict_add(s, i);
    if (m->align[i] != 1 || m->fixed[i] != TN_PLAN_FREE)
      s->result->conflict_is_irreducible = false;
  }
}

enum { CONFLICT_NODES = 2000 };  // of the search, for each buffer left out

/* Whether those with keep[buffer] fit into the capacity. */
static tni_search_state
conflict_ask(tni_solver *s, const bool *keep)
{
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  tni_search_state state = TNI_SEARCH_RUNNING;
  tni_plan_model m;
  tni_search_problem p;
  if (tni_plan_model_build(&m, s->problem, keep, NULL, s->memory) == TN_OK &&
      tni_search_init(&p, &m, s->memory)) {
    tni_search_limit(&p, s->capacity);
    const unsigned order = p.is_windowed ? TNI_SEARCH_ENGINES - 1 : 0;
    tni_engine *const e = tni_engine_create(&p, order, s->memory);
    if (e) {
      tni_engine_restart(e, 0);
      state = tni_engine_run(e, CONFLICT_NODES);
      s->nodes += tni_engine_nodes(e);
    }
  }
  tni_plan_mark_reset(s->memory, mark);
  return state;
}

void
tni_conflict_search(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  bool *const keep = tni_plan_take(s->memory, s->problem->count, sizeof *keep);
  if (!s->result->conflict || s->leader || !keep)
    return;
  bool is_sure = true;
  for (uint32_t i = 0; i < m->count; i++)
    keep[m->buffer[i]] = true;
  for (uint32_t i = 0; i < m->count; i++) {
    const bool has_time =
        !tni_solver_is_late(s) && (!s->nodes_stop || s->nodes < s->nodes_stop);
    keep[m->buffer[i]] = false;
    const tni_search_state state =
        has_time ? conflict_ask(s, keep) : TNI_SEARCH_RUNNING;
    if (state == TNI_SEARCH_EXHAUSTED)
      continue;  // the others cannot be placed even without it
    keep[m->buffer[i]] = true;
    is_sure &= state == TNI_SEARCH_SOLVED;
    tni_conflict_add(s, i);
  }
  s->result->conflict_is_irreducible = is_sure;
}
