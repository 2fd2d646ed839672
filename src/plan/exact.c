/* exact.c -- the exact search at falling and rising capacities (solver.h)
 *
 * A question, "does it fit below C?", is put to several engines in turn, a
 * slice of nodes each.  To minimise, one question stands at the bound and is
 * taken up again in every round, so that nothing is searched twice; others are
 * put at capacities between bound and height, by chance and mostly short, soon
 * with stirred orders: a search that does not end early mostly does not end at
 * all, and another order or capacity then does better than patience.  The
 * budget of a round doubles.  A question that ran out of its budget says
 * nothing.  [plan.honest]
 *
 * Threads   the engines' slices are independent jobs; the answer taken is that
 *           of the first engine by number, and only nodes up to it count, so
 *           that it is the same with any executor.  [plan.same]
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"
#include "plan/solver.h"

enum {
  EXACT_SLICE = 500,
  EXACT_ROUND = 3000,   // nodes, doubled
  EXACT_EVEN = 100000,  // up to such rounds both kinds of questions get as much
  EXACT_TRY = 3000,     // nodes for a question below, times 1, 2, 1, 4, 1 ...
  EXACT_DEAR = 8,       // nodes that make a failure worth remembering
  EXACT_WORDS = 1 << 18,  // of memory of failed nodes, for each engine
  EXACT_NEAR = 20,        // the first are no further above the bound than 1/20
  EXACT_PLAIN = 40,       // questions below before the orders are stirred
};

typedef struct exact_question {
  tni_solver *solver;
  tni_search_problem problem;
  tni_engine *engine[TNI_SEARCH_ENGINES];
  tni_search_state state[TNI_SEARCH_ENGINES];
  unsigned engines;
  int64_t *offset;
  bool is_asked;
  uint64_t asked;   // questions so far
  uint64_t chance;  // state of what stirs the orders
} exact_question;

/* The job of one engine: a slice. */
static void
exact_slice(void *argument, size_t index)
{
  exact_question *const q = argument;
  q->state[index] = tni_engine_run(q->engine[index], EXACT_SLICE);
}

/* A slice of every engine; returns the first that has an answer. */
static unsigned
exact_turn(exact_question *q)
{
  tni_solver *const s = q->solver;
  const tn_plan_options *const o = s->options;
  uint64_t before[TNI_SEARCH_ENGINES] = {0};
  for (unsigned i = 0; i < q->engines; i++)
    before[i] = tni_engine_nodes(q->engine[i]);
  if (o->execute)
    o->execute(o->context, exact_slice, q, q->engines);
  for (unsigned i = 0; i < q->engines; i++) {
    if (!o->execute)
      exact_slice(q, i);
    s->nodes += tni_engine_nodes(q->engine[i]) - before[i];
    if (q->state[i] == TNI_SEARCH_SOLVED ||
        (q->state[i] == TNI_SEARCH_EXHAUSTED &&
         tni_search_is_complete(&q->problem, i)))
      return i;
    if (!o->execute && tni_solver_is_late(s))
      break;
  }
  return q->engines;
}

/* Tell the solver what an engine has found. */
static void
exact_report(exact_question *q, unsigned engine)
{
  tni_solver *const s = q->solver;
  const tni_plan_model *const m = s->model;
  q->is_asked = false;
  if (q->state[engine] == TNI_SEARCH_EXHAUSTED) {
    tni_solver_raise(s, tni_search_next(&q->problem));
    return;
  }
  int64_t height = 0;
  tni_engine_offsets(q->engine[engine], q->offset);
  for (uint32_t i = 0; i < m->count; i++)
    if (q->offset[i] + m->size[i] > height)
      height = q->offset[i] + m->size[i];
  tni_solver_offer(s, q->offset, height);
}

static void
exact_ask(exact_question *q, int64_t capacity, bool is_stirred)
{
  tni_search_limit(&q->problem, capacity);
  for (unsigned i = 0; i < q->engines; i++)
    tni_engine_restart(q->engine[i],
                       is_stirred ? tni_plan_random(&q->chance) | 1 : 0);
  q->is_asked = true;
}

/* Search on for about `budget` nodes; true when there was an answer. */
static bool
exact_pursue(exact_question *q, uint64_t budget)
{
  tni_solver *const s = q->solver;
  const uint64_t start = s->nodes;
  while (s->nodes - start < budget && tni_solver_goes_on(s)) {
    const unsigned first = exact_turn(q);
    if (first == q->engines)
      continue;
    exact_report(q, first);
    return true;
  }
  return false;
}

/* One round: the question at the bound, then others below the height. */
static void
exact_round(exact_question *at_bound, exact_question *below, uint64_t budget)
{
  tni_solver *const s = below->solver;
  do {
    if (!at_bound->is_asked || at_bound->problem.capacity < s->bound)
      exact_ask(at_bound, s->bound, false);
  } while (exact_pursue(at_bound, budget));
  const uint64_t stop = s->nodes + (budget < EXACT_EVEN ? budget : 8 * budget);
  while (s->nodes < stop && tni_solver_goes_on(s)) {
    const uint64_t gap = (uint64_t)(s->height - s->bound);
    const uint64_t near = (uint64_t)s->bound / EXACT_NEAR;
    const bool is_near = below->asked < EXACT_PLAIN && near > 0 && near < gap;
    const uint64_t chance = tni_plan_random(&below->chance);
    const int64_t target =
        s->bound + (int64_t)(chance % (is_near ? near : gap));
    const uint64_t n = ++below->asked;
    exact_ask(below, target, n > EXACT_PLAIN);
    exact_pursue(below, EXACT_TRY * (n & -n));
  }
}

/* Memory of failed nodes, when there is any to spare. */
static void
exact_remember(exact_question *q)
{
  for (unsigned i = 0; i < q->engines; i++)
    (void)tni_engine_remember(q->engine[i], EXACT_WORDS, EXACT_DEAR,
                              q->solver->memory);
}

/* How often that memory was of use. */
static uint64_t
exact_recalled(const exact_question *q)
{
  uint64_t recalled = 0;
  for (unsigned i = 0; i < q->engines; i++)
    recalled += tni_engine_recalled(q->engine[i]);
  return recalled;
}

static bool
exact_init(exact_question *q, tni_solver *s)
{
  q->solver = s;
  q->chance = s->options->seed + s->nodes;
  if (!tni_search_init(&q->problem, s->model, s->memory))
    return false;
  q->offset = tni_plan_take(s->memory, s->model->count, sizeof *q->offset);
  if (!q->offset)
    return false;
  while (q->engines < TNI_SEARCH_ENGINES) {
    q->engine[q->engines] =
        tni_engine_create(&q->problem, q->engines, s->memory);
    if (!q->engine[q->engines])
      break;  // fewer orders, the same answer later
    q->engines++;
  }
  return q->engines > 0;
}

void
tni_exact(tni_solver *s, uint64_t nodes)
{
  const uint64_t start = s->nodes;
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  exact_question below = {0}, at_bound = {0};
  if (!exact_init(&below, s))
    goto end;
  const bool is_fit = s->options->goal == TN_PLAN_FIT;
  const bool has_both = !is_fit && exact_init(&at_bound, s);
  exact_remember(&below);
  exact_remember(&at_bound);
  if (s->height < 0 || s->height > s->capacity) {
    exact_ask(&below, s->capacity, false);
    exact_pursue(&below, is_fit ? UINT64_MAX : nodes);
  }
  if (has_both && s->height >= 0)
    for (uint64_t budget = EXACT_ROUND;
         s->nodes - start < nodes && tni_solver_goes_on(s); budget *= 2)
      exact_round(&at_bound, &below, budget);
  s->result->recalled += exact_recalled(&below) + exact_recalled(&at_bound);
end:
  tni_plan_mark_reset(s->memory, mark);
}
