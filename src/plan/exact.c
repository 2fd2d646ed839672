/* exact.c -- the exact search at falling and rising capacities (solver.h)
 *
 * The question "does it fit below C?" is put to several engines in turn, a
 * slice of nodes each.  To minimise, it is asked for capacities between the
 * bound and the best height, with a budget that grows from round to round: at
 * the bound first (often the answer, and a lower capacity is often easier, as
 * bounds bite), then halfway up, then closer to the best height.  No answer
 * within the budget says nothing.  [plan.honest]
 *
 * Threads   the engines' slices are independent jobs; the answer taken is that
 *           of the first engine by number, and only nodes up to it count, so
 *           that it is the same with any executor.  [plan.same]
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"
#include "plan/solver.h"

enum { EXACT_SLICE = 1000, EXACT_ROUND = 4000 };

typedef struct exact_run {
  tni_solver *solver;
  tni_search_problem problem;
  tni_engine *engine[TNI_SEARCH_ENGINES];
  tni_search_state state[TNI_SEARCH_ENGINES];
  unsigned engines;
  int64_t *offset;
} exact_run;

/* The job of one engine: a slice. */
static void
exact_slice(void *argument, size_t index)
{
  exact_run *const r = argument;
  r->state[index] = tni_engine_run(r->engine[index], EXACT_SLICE);
}

/* A slice of every engine; returns the first that has an answer. */
static unsigned
exact_turn(exact_run *r)
{
  tni_solver *const s = r->solver;
  const tn_plan_options *const o = s->options;
  uint64_t before[TNI_SEARCH_ENGINES];
  for (unsigned i = 0; i < r->engines; i++)
    before[i] = tni_engine_nodes(r->engine[i]);
  if (o->execute)
    o->execute(o->context, exact_slice, r, r->engines);
  for (unsigned i = 0; i < r->engines; i++) {
    if (!o->execute)
      exact_slice(r, i);
    s->nodes += tni_engine_nodes(r->engine[i]) - before[i];
    if (r->state[i] != TNI_SEARCH_RUNNING)
      return i;
    if (!o->execute && tni_solver_is_late(s))
      break;
  }
  return r->engines;
}

/* Does everything fit below the capacity?  Asks for about `budget` nodes. */
static tni_search_state
exact_decide(exact_run *r, int64_t capacity, uint64_t budget)
{
  tni_solver *const s = r->solver;
  const uint64_t stop = s->nodes + budget;
  tni_search_limit(&r->problem, capacity);
  for (unsigned i = 0; i < r->engines; i++)
    tni_engine_restart(r->engine[i]);
  while ((stop < budget || s->nodes < stop) && tni_solver_goes_on(s)) {
    const unsigned first = exact_turn(r);
    if (first == r->engines)
      continue;
    if (r->state[first] == TNI_SEARCH_EXHAUSTED) {
      tni_solver_raise(s, r->problem.capacity + 1);
    } else {
      const tni_plan_model *const m = s->model;
      int64_t height = 0;
      tni_engine_offsets(r->engine[first], r->offset);
      for (uint32_t i = 0; i < m->count; i++)
        if (r->offset[i] + m->size[i] > height)
          height = r->offset[i] + m->size[i];
      tni_solver_offer(s, r->offset, height);
    }
    return r->state[first];
  }
  return TNI_SEARCH_RUNNING;
}

/* One round of questions between bound and height. */
static void
exact_round(exact_run *r, uint64_t budget)
{
  tni_solver *const s = r->solver;
  exact_decide(r, s->bound, budget);
  for (int64_t part = 2; part <= 16 && tni_solver_goes_on(s);) {
    const int64_t gap = s->height - s->bound;
    const int64_t target = s->height - gap / part - (gap < part);
    if (target <= s->bound ||
        exact_decide(r, target, budget) == TNI_SEARCH_RUNNING)
      part *= 2;
  }
}

static bool
exact_init(exact_run *r, tni_solver *s)
{
  r->solver = s;
  if (!tni_search_init(&r->problem, s->model, s->memory))
    return false;
  r->offset = tni_plan_take(s->memory, s->model->count, sizeof *r->offset);
  if (!r->offset)
    return false;
  while (r->engines < TNI_SEARCH_ENGINES) {
    r->engine[r->engines] =
        tni_engine_create(&r->problem, r->engines, s->memory);
    if (!r->engine[r->engines])
      break;  // fewer orders, the same answer later
    r->engines++;
  }
  return r->engines > 0;
}

void
tni_exact(tni_solver *s)
{
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  exact_run r = {0};
  if (exact_init(&r, s)) {
    if (s->height < 0 || s->height > s->capacity)
      exact_decide(&r, s->capacity, UINT64_MAX);
    if (s->options->goal == TN_PLAN_MINIMIZE)
      for (uint64_t budget = EXACT_ROUND; tni_solver_goes_on(s); budget *= 2)
        exact_round(&r, budget);
  }
  tni_plan_mark_reset(s->memory, mark);
}
