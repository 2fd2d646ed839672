/* solve.c -- tn_plan_solve: from problem to result
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"
#include "plan/solver.h"

#include <string.h>

/* ---- the solver ---- */

bool
tni_solver_is_done(const tni_solver *s)
{
  if (s->is_infeasible)
    return true;
  if (s->height < 0)
    return false;
  return s->height == s->bound ||
         (s->options->goal == TN_PLAN_FIT && s->height <= s->capacity);
}

bool
tni_solver_is_late(tni_solver *s)
{
  const tn_plan_options *const o = s->options;
  if (o->clock && !s->is_late)
    s->is_late = o->clock(o->context) >= s->deadline;
  if (o->progress && !s->is_cancelled) {
    const int64_t *const offsets = s->published < 0 ? NULL : s->result->offsets;
    const tn_plan_progress now = {s->published, s->leader ? s->least : s->bound,
                                  s->nodes, offsets};
    s->is_cancelled = !o->progress(o->context, &now);
  }
  return s->is_late || s->is_cancelled;
}

bool
tni_solver_goes_on(tni_solver *s)
{
  if (tni_solver_is_done(s) || (s->nodes_stop && s->nodes >= s->nodes_stop))
    return false;
  return !tni_solver_is_late(s);
}

/* Write the best plan to the caller's array. */
static void
solve_publish(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  int64_t *const out = s->result->offsets;
  for (uint32_t i = 0; i < m->count; i++)
    out[m->buffer[i]] = s->best[i];
  for (size_t i = 0; s->leader && i < s->problem->count; i++)
    out[i] = out[s->leader[i]];
  s->published = s->height;
}

void
tni_solver_offer(tni_solver *s, const int64_t *offset, int64_t height)
{
  TN_CHECK(height >= s->bound && offset != NULL, "plan.bound");
  if (s->height >= 0 && height >= s->height)
    return;
  s->height = height;
  memcpy(s->best, offset, s->model->count * sizeof *offset);
  if (s->published >= 0 && height >= s->published)
    return;  // another choice of shares has a lower one: [plan.anytime]
  solve_publish(s);
}

void
tni_solver_raise(tni_solver *s, int64_t bound)
{
  TN_CHECK(s->height < 0 || bound <= s->height, "plan.bound");
  if (bound <= s->bound)
    return;
  s->bound = bound;
  s->is_infeasible = bound > s->capacity;
  s->result->witness_is_load = false;
  s->result->witness_lower = s->model->begin[0];
  s->result->witness_upper = s->model->end[s->model->sections - 1];
}

/* ---- one model ---- */

enum {
  SOLVE_STEPS = 2000,    // of ejection, for each target, at first
  SOLVE_NODES = 400000,  // of the search, before ejection has a go
};

/* The bound that needs no search. */
static void
solve_bound(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  tn_plan_result *const r = s->result;
  s->bound = m->load[m->peak];
  r->witness_is_load = true;
  r->witness_lower = m->begin[m->peak];
  r->witness_upper = m->end[m->peak];
  for (uint32_t i = 0; i < m->count; i++)
    if (m->fixed[i] != TN_PLAN_FREE && m->fixed[i] + m->size[i] > s->bound) {
      s->bound = m->fixed[i] + m->size[i];
      r->witness_is_load = false;
      r->witness_lower = m->begin[m->s0[i]];
      r->witness_upper = m->end[m->s1[i] - 1];
    }
}

/* The methods one after the other, each as long as there is something to
 * gain. */
static tn_status
solve_methods(tni_solver *s)
{
  /* What the exact search can hold it mostly solves sooner than ejection
   * lowers it. */
  const bool is_small = s->model->count <= TNI_SEARCH_ITEMS_MAX;
  const bool is_fit = s->options->goal == TN_PLAN_FIT;
  if (!tni_greedy(s, true))
    return TN_ENOMEM;
  if (is_small && is_fit && tni_solver_goes_on(s))
    tni_exact(s, UINT64_MAX);
  if (!is_small && tni_solver_goes_on(s) && s->height >= 0)
    tni_improve(s, SOLVE_STEPS);
  if (tni_solver_goes_on(s) && !tni_greedy(s, false))
    return TN_ENOMEM;
  if (is_small && tni_solver_goes_on(s))
    tni_exact(s, SOLVE_NODES);
  const uint64_t most = is_small ? 4 * SOLVE_STEPS : SOLVE_NODES;
  for (uint64_t steps = SOLVE_STEPS; steps < most; steps *= 2)
    if (tni_solver_goes_on(s) && s->height >= 0)
      tni_improve(s, steps);
  if (is_small && tni_solver_goes_on(s))
    tni_exact(s, UINT64_MAX);
  if (s->is_infeasible && s->result->conflict_count == 0)
    tni_conflict_search(s);
  return TN_OK;
}

tn_status
tni_solve_model(tni_solver *s, const bool *use)
{
  s->model = tni_plan_take(s->memory, 1, sizeof *s->model);
  if (!s->model)
    return TN_ENOMEM;
  const tn_status status =
      tni_plan_model_build(s->model, s->problem, use, s->leader, s->memory);
  if (status != TN_OK)
    return status;
  const uint32_t count = s->model->count;
  s->is_rough = s->model->is_rough;
  s->height = count ? -1 : 0;
  s->bound = 0;
  s->is_infeasible = false;
  if (count == 0)
    return TN_OK;
  s->best = tni_plan_take(s->memory, count, sizeof *s->best);
  if (!s->best)
    return TN_ENOMEM;
  solve_bound(s);
  s->is_infeasible = tni_conflict_fixed(s);
  if (s->is_infeasible)
    return TN_OK;
  s->is_infeasible = s->bound > s->capacity;
  if (s->is_infeasible)
    tni_conflict_load(s);
  return solve_methods(s);
}

/* Set what every answer has, whatever follows. */
static void
solve_begin(const tn_plan_problem *p, tn_plan_result *r)
{
  int64_t *const offsets = r->offsets;
  uint32_t *const pools = r->pools, *const conflict = r->conflict;
  *r = (tn_plan_result){.offsets = offsets,
                        .pools = pools,
                        .conflict = conflict,
                        .status = TN_PLAN_UNKNOWN,
                        .height = -1};
  for (size_t i = 0; i < p->count; i++) {
    const int64_t fixed = p->buffers[i].fixed;
    offsets[i] = fixed > 0 ? fixed : 0;
    if (pools)
      pools[i] = 0;
  }
}

static void
solve_end(const tni_solver *s)
{
  tn_plan_result *const r = s->result;
  r->height = s->height;
  r->lower_bound = s->bound;
  r->nodes = s->nodes;
  if (s->problem->pool_count && s->height >= 0)
    return;  // pool.c has said so
  if (s->is_infeasible)
    r->status = TN_PLAN_INFEASIBLE;
  else if (s->height < 0 || s->height > s->capacity)
    r->status = TN_PLAN_UNKNOWN;
  else
    r->status = s->height == s->bound ? TN_PLAN_OPTIMAL : TN_PLAN_FEASIBLE;
}

tn_status
tn_plan_solve(const tn_plan_problem *problem, const tn_plan_options *options,
              tn_plan_result *result)
{
  tn_status status = tni_plan_check(problem, result);
  if (status != TN_OK)
    return status;
  if (problem->pool_count && !result->pools) {
    result->error = "no array for the pools";
    result->error_index = 0;
    return TN_EINVAL;
  }
  tni_plan_memory memory;
  tni_plan_memory_init(&memory, options);
  tni_solver s = {.options = options,
                  .memory = &memory,
                  .problem = problem,
                  .result = result,
                  .capacity =
                      problem->capacity ? problem->capacity : TN_PLAN_MAX,
                  .published = -1,
                  .nodes_stop = options->nodes,
                  .deadline = options->deadline};
  solve_begin(problem, result);
  status = problem->pool_count    ? tni_pool_solve(&s)
           : problem->share_count ? tni_share_solve(&s)
                                  : tni_solve_model(&s, NULL);
  if (status == TN_OK)
    solve_end(&s);
  else
    result->error = status == TN_ENOMEM ? "out of memory"
                                        : "live sizes add up to more than 2^62";
  result->memory = memory.most;
  tni_plan_memory_fini(&memory);
  return status;
}

const char *
tn_plan_status_name(tn_plan_status status)
{
  switch (status) {
  case TN_PLAN_OPTIMAL: return "optimal";
  case TN_PLAN_FEASIBLE: return "feasible";
  case TN_PLAN_INFEASIBLE: return "infeasible";
  default: return "unknown";
  }
}

static tn_status
solve_load(const tn_plan_problem *p, tni_plan_memory *memory, int64_t *load,
           int64_t *at)
{
  tni_plan_model m;
  const tn_status status = tni_plan_model_build(&m, p, NULL, NULL, memory);
  if (status != TN_OK)
    return status;
  uint32_t peak = 0;
  int64_t most = 0;
  if (m.count) {
    int64_t *const section = tni_plan_take(memory, m.sections, sizeof *section);
    uint32_t *const item = tni_plan_take(memory, p->count, sizeof *item);
    if (!section || !item)
      return TN_ENOMEM;
    tni_share_items(&m, p->count, item);
    most = tni_share_load(&m, p, item, section, &peak);
  }
  *load = most;
  if (at)
    *at = m.count ? m.begin[peak] : 0;
  return TN_OK;
}

tn_status
tn_plan_load(const tn_plan_problem *problem, const tn_plan_options *options,
             int64_t *load, int64_t *at)
{
  tn_plan_result result = {0};
  tn_status status = tni_plan_check(problem, &result);
  if (status != TN_OK)
    return status;
  tni_plan_memory memory;
  tni_plan_memory_init(&memory, options);
  status = solve_load(problem, &memory, load, at);
  tni_plan_memory_fini(&memory);
  return status;
}
