/* greedy.c -- first and best fit in many orders (see solver.h)
 *
 * No order is best everywhere: size first is 1.3 times the load where total,
 * lifetime, area is 1.003.  So all are tried, the likely ones first, each with
 * the best height so far as its ceiling, which ends a bad one early.
 * SPDX-License-Identifier: MIT
 */
#include "plan/solver.h"

/* Letters of tni_plan_key, most important first. */
static const struct {
  char keys[4];
  tni_fit_rule rule;
} greedy_tries[] = {
    {"7A", TNI_FIT_FIRST}, {"P", TNI_FIT_BEST},    {"3A", TNI_FIT_FIRST},
    {"2L", TNI_FIT_FIRST}, {"5A", TNI_FIT_FIRST},  {"Z", TNI_FIT_FIRST},
    {"QA", TNI_FIT_BEST},  {"TWA", TNI_FIT_BEST},  {"AW", TNI_FIT_FIRST},
    {"ZW", TNI_FIT_FIRST}, {"6W", TNI_FIT_FIRST},  {"4W", TNI_FIT_FIRST},
    {"L", TNI_FIT_BEST},   {"TWA", TNI_FIT_FIRST}, {"WA", TNI_FIT_FIRST},
    {"TAW", TNI_FIT_BEST}, {"ZW", TNI_FIT_BEST},   {"AW", TNI_FIT_BEST},
    {"WA", TNI_FIT_BEST},  {"L", TNI_FIT_FIRST},   {"TZW", TNI_FIT_BEST},
};

enum { GREEDY_FIRST = 5 };  // tries before ejection has a go

typedef struct greedy_state {
  uint32_t *order, *spare;
  uint64_t *key;
  int64_t *offset;
} greedy_state;

/* Sort all items by the keys, most important first. */
static bool
greedy_sort(tni_solver *s, greedy_state *g, const char *keys)
{
  const uint32_t n = s->model->count;
  size_t last = 0;
  while (keys[last])
    last++;
  for (uint32_t i = 0; i < n; i++)
    g->order[i] = i;
  for (const char *tie = "UL"; *tie; tie++) {
    tni_plan_key(s->model, *tie, g->key);
    tni_plan_sort(g->order, g->key, n, g->spare);
  }
  while (last-- > 0) {
    if (keys[last] != 'T')
      tni_plan_key(s->model, keys[last], g->key);
    else if (!tni_plan_key_total(s->model, s->memory, g->key))
      return false;
    tni_plan_sort(g->order, g->key, n, g->spare);
  }
  return true;
}

/* Sort the items by the offsets of the plan to start from; in that order first
 * fit is never higher than a valid plan was. */
static void
greedy_sort_previous(tni_solver *s, greedy_state *g)
{
  const tni_plan_model *const m = s->model;
  for (uint32_t i = 0; i < m->count; i++) {
    const int64_t before = s->options->previous[m->buffer[i]];
    g->order[i] = i;
    g->key[i] = before < 0 ? UINT64_MAX : (uint64_t)before;
  }
  tni_plan_sort(g->order, g->key, m->count, g->spare);
}

static bool
greedy_try(tni_solver *s, greedy_state *g, tni_fit_rule rule)
{
  int64_t height;
  const int64_t ceiling = s->height < 0 ? TN_PLAN_MAX : s->height - 1;
  s->nodes += s->model->count;
  if (!tni_fit_all(s, g->order, rule, ceiling, g->offset, &height))
    return false;
  if (height >= 0)
    tni_solver_offer(s, g->offset, height);
  return true;
}

bool
tni_greedy(tni_solver *s, bool is_first)
{
  const uint32_t n = s->model->count;
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  greedy_state g = {
      .order = tni_plan_take_dirty(s->memory, n, sizeof *g.order),
      .spare = tni_plan_take_dirty(s->memory, n, sizeof *g.spare),
      .key = tni_plan_take_dirty(s->memory, n, sizeof *g.key),
      .offset = tni_plan_take_dirty(s->memory, n, sizeof *g.offset),
  };
  bool ok = g.order && g.spare && g.key && g.offset;
  if (ok && is_first && s->options->previous) {
    greedy_sort_previous(s, &g);
    ok = greedy_try(s, &g, TNI_FIT_FIRST);
  }
  const size_t all = sizeof greedy_tries / sizeof *greedy_tries;
  const size_t end = is_first ? GREEDY_FIRST : all;
  for (size_t i = is_first ? 0 : GREEDY_FIRST; ok && i < end; i++) {
    if (i > 0 && !tni_solver_goes_on(s))
      break;
    ok = greedy_sort(s, &g, greedy_tries[i].keys) &&
         greedy_try(s, &g, greedy_tries[i].rule);
  }
  tni_plan_mark_reset(s->memory, mark);
  return ok || s->height >= 0;
}
