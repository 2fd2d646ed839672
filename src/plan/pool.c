/* pool.c -- several memories in order (see solver.h)
 *
 * From the first pool on: if everything that is left fits, it goes there.
 * Otherwise, in several orders, each item goes in if there is a hole for it;
 * the order that fills the pool with most bytes is kept and the rest is left
 * to the pools after it.  The last pool must take all that is left.
 *
 * [plan.honest]: OPTIMAL only when everything is in the cheapest pool,
 * INFEASIBLE only when a buffer is larger than every pool, the load is above
 * the sum of the capacities, or the fixed buffers clash.
 *
 * Source  TVM's ordered pool candidates; tflite-micro issues 2627 and 2675.
 * SPDX-License-Identifier: MIT
 */
#include "plan/solver.h"

#include <string.h>

enum { POOL_NODES = 20000 };  // of the search, to get everything into one

typedef struct pool_run {
  tni_solver *solver;
  bool *is_left;    // of a buffer: takes room and is in no pool yet
  int64_t *offset;  // of an item, or -1: in this order
  int64_t *best;    // the same in the best order so far
  uint32_t *order, *spare;
  uint64_t *key;
} pool_run;

static const char pool_orders[] = "AZWL37";

/* Put the item, a buffer on its own, into the pool. */
static void
pool_assign(pool_run *r, const tni_plan_model *m, uint32_t item, uint32_t pool,
            int64_t offset)
{
  const tni_solver *const s = r->solver;
  const uint32_t buffer = m->buffer[item];
  s->result->offsets[buffer] = offset;
  s->result->pools[buffer] = pool;
  r->is_left[buffer] = false;
}

/* Offer the items to an empty pool in the order of r->order; *used receives
 * the bytes that went in.  False: out of memory. */
static bool
pool_fill(pool_run *r, const tni_plan_model *m, int64_t capacity, int64_t *used)
{
  tni_plan_memory *const memory = r->solver->memory;
  const tni_plan_mark mark = tni_plan_mark_set(memory);
  tni_fit fit;
  bool ok = tni_fit_init(&fit, m, memory);
  fit.ceiling = capacity;
  *used = 0;
  for (int fixed = 1; fixed >= 0; fixed--)
    for (uint32_t k = 0; k < m->count && ok; k++) {
      const uint32_t i = r->order[k];
      if ((m->fixed[i] != TN_PLAN_FREE) != (fixed == 1))
        continue;
      r->offset[i] = fixed ? m->fixed[i] : tni_fit_find(&fit, i, TNI_FIT_BEST);
      if (r->offset[i] < 0)
        continue;
      ok = tni_fit_put(&fit, i, r->offset[i]);
      *used += m->size[i] >> 10;  // so that the sum of all cannot overflow
    }
  r->solver->nodes += m->count;
  tni_plan_mark_reset(memory, mark);
  return ok;
}

/* Fill the pool in the best of the orders. */
static tn_status
pool_fill_best(pool_run *r, const tni_plan_model *m, uint32_t pool)
{
  int64_t most = -1, used;
  for (const char *letter = pool_orders; *letter; letter++) {
    for (uint32_t i = 0; i < m->count; i++)
      r->order[i] = i;
    tni_plan_key(m, *letter, r->key);
    tni_plan_sort(r->order, r->key, m->count, r->spare);
    if (!pool_fill(r, m, r->solver->problem->pools[pool].capacity, &used))
      return TN_ENOMEM;
    if (used <= most)
      continue;
    most = used;
    memcpy(r->best, r->offset, m->count * sizeof *r->best);
  }
  for (uint32_t i = 0; i < m->count; i++)
    if (r->best[i] >= 0)
      pool_assign(r, m, i, pool, r->best[i]);
  return TN_OK;
}

/* Try to get all that is left into the pool; *is_done when it is. */
static tn_status
pool_take_all(pool_run *r, uint32_t pool, bool is_last, bool *is_done)
{
  tni_solver *const s = r->solver;
  tni_plan_memory *const memory = s->memory;
  const tni_plan_mark mark = tni_plan_mark_set(memory);
  tn_plan_result scratch = {.offsets = s->result->offsets};
  tni_solver sub = *s;
  sub.result = &scratch;
  sub.capacity = s->problem->pools[pool].capacity;
  sub.published = -1;
  if (!is_last && (!s->nodes_stop || s->nodes + POOL_NODES < s->nodes_stop))
    sub.nodes_stop = s->nodes + POOL_NODES;
  const tn_status status = tni_solve_model(&sub, r->is_left);
  if (status == TN_OK) {
    *is_done = sub.height >= 0 && sub.height <= sub.capacity;
    s->nodes = sub.nodes;
    s->is_cancelled = sub.is_cancelled;
    for (uint32_t b = 0; *is_done && b < s->problem->count; b++)
      if (r->is_left[b]) {
        s->result->pools[b] = pool;
        r->is_left[b] = false;
      }
  }
  tni_plan_mark_reset(memory, mark);
  return status;
}

/* Fill one pool; *is_done when nothing is left. */
static tn_status
pool_next(pool_run *r, uint32_t pool, bool *is_done)
{
  tni_solver *const s = r->solver;
  const bool is_last = pool + 1 == s->problem->pool_count;
  tn_status status = pool_take_all(r, pool, is_last, is_done);
  if (status != TN_OK || *is_done || is_last)
    return status;
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  tni_plan_model m;
  status = tni_plan_model_build(&m, s->problem, r->is_left, NULL, s->memory);
  if (status == TN_OK)
    status = pool_fill_best(r, &m, pool);
  tni_plan_mark_reset(s->memory, mark);
  return status;
}

/* Whether it is plain that no plan can be. */
static bool
pool_is_infeasible(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  const tn_plan_problem *const p = s->problem;
  int64_t sum = 0, largest = 0;
  for (size_t k = 0; k < p->pool_count; k++) {
    const int64_t capacity = p->pools[k].capacity;
    sum = capacity > TN_PLAN_MAX - sum ? TN_PLAN_MAX : sum + capacity;
    largest = capacity > largest ? capacity : largest;
  }
  s->bound = m->load[m->peak];
  s->result->witness_is_load = true;
  s->result->witness_lower = m->begin[m->peak];
  s->result->witness_upper = m->end[m->peak];
  s->capacity = sum;
  if (s->bound > sum) {
    tni_conflict_load(s);
    return true;
  }
  for (uint32_t i = 0; i < m->count; i++)
    if (m->size[i] > largest) {
      tni_conflict_add(s, i);
      s->result->conflict_is_irreducible = true;
      return true;
    }
  s->capacity = p->pools[0].capacity;
  return tni_conflict_fixed(s);
}

/* sum + size * cost, or INT64_MAX when that is too large; no overflow builtin,
 * as these need a run-time library on some targets. */
static int64_t
pool_add(int64_t sum, int64_t size, int64_t cost)
{
  const int64_t room = INT64_MAX - sum;
  return cost != 0 && size > room / cost ? INT64_MAX : sum + size * cost;
}

/* Heights and costs of the plan in the result. */
static void
pool_sum(tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  const tn_plan_problem *const p = s->problem;
  int64_t top[TN_PLAN_MAX_POOLS] = {0}, least = INT64_MAX, cost = 0, floor = 0;
  for (size_t k = 0; k < p->pool_count; k++)
    least = p->pools[k].cost < least ? p->pools[k].cost : least;
  s->height = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    const uint32_t pool = s->result->pools[m->buffer[i]];
    const int64_t end = s->result->offsets[m->buffer[i]] + m->size[i];
    top[pool] = end > top[pool] ? end : top[pool];
    cost = pool_add(cost, m->size[i], p->pools[pool].cost);
    floor = pool_add(floor, m->size[i], least);
  }
  for (size_t k = 0; k < p->pool_count; k++)
    s->height += top[k];
  s->result->cost = cost;
  s->result->status =
      cost == floor && cost != INT64_MAX ? TN_PLAN_OPTIMAL : TN_PLAN_FEASIBLE;
}

static bool
pool_init(pool_run *r, tni_solver *s)
{
  const size_t n = s->problem->count;
  tni_plan_memory *const memory = s->memory;
  *r = (pool_run){
      .solver = s,
      .is_left = tni_plan_take(memory, n, sizeof *r->is_left),
      .offset = tni_plan_take(memory, n, sizeof *r->offset),
      .best = tni_plan_take(memory, n, sizeof *r->best),
      .order = tni_plan_take(memory, n, sizeof *r->order),
      .spare = tni_plan_take(memory, n, sizeof *r->spare),
      .key = tni_plan_take(memory, n, sizeof *r->key),
  };
  return r->is_left && r->offset && r->best && r->order && r->spare && r->key;
}

tn_status
tni_pool_solve(tni_solver *s)
{
  const tn_plan_problem *const p = s->problem;
  pool_run r;
  tni_plan_model *const m = tni_plan_take(s->memory, 1, sizeof *m);
  s->model = m;
  if (!m || !s->result->pools || !pool_init(&r, s))
    return TN_ENOMEM;
  tn_status status = tni_plan_model_build(m, p, NULL, NULL, s->memory);
  if (status != TN_OK)
    return status;
  s->height = -1;
  s->is_infeasible = m->count && pool_is_infeasible(s);
  if (s->is_infeasible)
    return TN_OK;
  bool is_done = m->count == 0;
  for (uint32_t i = 0; i < m->count; i++)
    r.is_left[m->buffer[i]] = true;
  for (uint32_t pool = 0; pool < p->pool_count && !is_done; pool++) {
    status = pool_next(&r, pool, &is_done);
    if (status != TN_OK)
      return status;
  }
  if (is_done)
    pool_sum(s);
  return TN_OK;
}
