/* improve.c -- lower a plan by ejection (see solver.h)
 *
 * A target below the height is set, and whatever ends above it is taken out.
 * Each item taken out goes where it disturbs least: into a hole if there is
 * one below the target, otherwise onto the items whose sum of weights is the
 * least, and these are taken out in turn.  An item that is taken out grows in
 * weight, so that the same few are not pushed round for ever.  When nothing is
 * left out, the plan is the new best, and the target falls.
 *
 * Neighbours in time come from a tree over the items by first section that
 * knows the largest last section: no conflict graph.
 *
 * Invariants
 *   [improve.clear]  items that are in place never meet below the target.
 * Cost      O(k log k) a step for k neighbours in time.
 * Source    ejection chains (Glover 1996) with weights that learn (breakout,
 *           Morris 1993).
 * SPDX-License-Identifier: MIT
 */
#include "plan/solver.h"

#include <string.h>

enum {
  IMPROVE_DEPTH = 64,
  IMPROVE_WATCH = 1 << 16,  // neighbours between looks at the clock
};

typedef struct improve_state {
  tni_solver *solver;
  const tni_plan_model *model;
  uint32_t leaves;
  uint32_t *by_start;  // items by first section
  uint32_t *last;      // of a node: the largest s1 below it
  int64_t *offset;     // -1: taken out
  uint64_t *weight;
  uint32_t *heap;  // items taken out, the largest on top
  uint32_t out;
  uint32_t *near;  // neighbours of the item in hand
  uint32_t near_count;
  int64_t *low, *high;  // of a neighbour: what it blocks, ends excluded
  uint64_t *key;
  uint32_t *by_low, *by_high, *spare;
  int64_t target;
} improve_state;

/* ---- items taken out: a heap ---- */

/* Whether a is to be placed before b. */
static bool
improve_is_first(const improve_state *v, uint32_t a, uint32_t b)
{
  const tni_plan_model *const m = v->model;
  if (m->size[a] != m->size[b])
    return m->size[a] > m->size[b];
  return m->width[a] != m->width[b] ? m->width[a] > m->width[b] : a < b;
}

static void
improve_take_out(improve_state *v, uint32_t item)
{
  uint32_t at = v->out++;
  v->offset[item] = -1;
  for (; at > 0 && improve_is_first(v, item, v->heap[(at - 1) / 2]);
       at = (at - 1) / 2)
    v->heap[at] = v->heap[(at - 1) / 2];
  v->heap[at] = item;
}

static uint32_t
improve_next(improve_state *v)
{
  const uint32_t first = v->heap[0], moved = v->heap[--v->out];
  uint32_t at = 0;
  for (uint32_t child; (child = 2 * at + 1) < v->out; at = child) {
    if (child + 1 < v->out &&
        improve_is_first(v, v->heap[child + 1], v->heap[child]))
      child++;
    if (!improve_is_first(v, v->heap[child], moved))
      break;
    v->heap[at] = v->heap[child];
  }
  v->heap[at] = moved;
  return first;
}

/* ---- neighbours in time ---- */

/* What j blocks for the item: offsets strictly between low and high, and with
 * windows perhaps not all of them, which only makes it move more than it must.
 */
static void
improve_add_near(improve_state *v, uint32_t item, uint32_t j)
{
  const tni_plan_model *const m = v->model;
  if (v->offset[j] < 0 || j == item)
    return;
  const int64_t above = tni_plan_above(m, j, item);
  if (above == INT64_MIN)
    return;
  const uint32_t k = v->near_count++;
  v->near[k] = j;
  v->low[k] = v->offset[j] - tni_plan_above(m, item, j);
  v->high[k] = v->offset[j] + above;
}

static void
improve_find_near(improve_state *v, uint32_t item)
{
  const tni_plan_model *const m = v->model;
  uint32_t stack[IMPROVE_DEPTH], depth = 0;
  v->near_count = 0;
  stack[depth++] = 1;
  while (depth) {
    const uint32_t node = stack[--depth];
    if (v->last[node] <= m->s0[item])
      continue;
    if (node < v->leaves) {
      stack[depth++] = 2 * node + 1;
      stack[depth++] = 2 * node;
      continue;
    }
    const uint32_t j = v->by_start[node - v->leaves];
    if (m->s0[j] >= m->s1[item])
      return;  // and all after it start later
    improve_add_near(v, item, j);
  }
}

/* ---- where it goes ---- */

static void
improve_sort_near(improve_state *v)
{
  const uint32_t n = v->near_count;
  for (uint32_t k = 0; k < n; k++) {
    v->by_low[k] = v->by_high[k] = k;
    v->key[k] = (uint64_t)v->low[k] ^ (uint64_t)1 << 63;
  }
  tni_plan_sort(v->by_low, v->key, n, v->spare);
  for (uint32_t k = 0; k < n; k++)
    v->key[k] = (uint64_t)v->high[k] ^ (uint64_t)1 << 63;
  tni_plan_sort(v->by_high, v->key, n, v->spare);
}

/* The offset whose neighbours weigh least, lowest first: 0 and the end of each
 * neighbour are tried, and the highest there is.  -1: none below the target. */
static int64_t
improve_cheapest(improve_state *v, uint32_t item)
{
  const tni_plan_model *const m = v->model;
  const int64_t highest =
      (v->target - m->size[item]) / m->align[item] * m->align[item];
  uint64_t blocked = 0, least = UINT64_MAX;
  int64_t best = -1;
  if (highest < 0)
    return -1;
  for (uint32_t k = 0, low = 0, high = 0; k <= v->near_count + 1; k++) {
    int64_t offset = k == 0              ? 0
                     : k > v->near_count ? highest
                                         : v->high[v->by_high[k - 1]];
    offset = offset > 0 ? tni_plan_round_up(offset, m->align[item]) : 0;
    if (offset > highest)
      offset = highest;
    for (; low < v->near_count && v->low[v->by_low[low]] < offset; low++)
      blocked += v->weight[v->near[v->by_low[low]]];
    for (; high < v->near_count && v->high[v->by_high[high]] <= offset; high++)
      blocked -= v->weight[v->near[v->by_high[high]]];
    if (blocked < least) {
      least = blocked;
      best = offset;
    }
    if (least == 0 || offset == highest)
      break;
  }
  return best;
}

/* Place one item that was taken out; false when it cannot be. */
static bool
improve_step(improve_state *v)
{
  const tni_plan_model *const m = v->model;
  const uint32_t item = improve_next(v);
  improve_find_near(v, item);
  improve_sort_near(v);
  const int64_t offset = improve_cheapest(v, item);
  if (offset < 0)
    return false;
  for (uint32_t k = 0; k < v->near_count; k++) {
    const uint32_t j = v->near[k];
    if (v->low[k] >= offset || offset >= v->high[k])
      continue;
    if (m->fixed[j] != TN_PLAN_FREE)
      return false;
    v->weight[j] += (uint64_t)m->size[j];
    improve_take_out(v, j);
  }
  v->offset[item] = offset;
  return true;
}

/* ---- targets ---- */

/* Whether no two items in place meet. */
static bool
improve_is_clear(improve_state *v)
{
  for (uint32_t i = 0; i < v->model->count; i++) {
    if (v->offset[i] < 0)
      continue;
    improve_find_near(v, i);
    for (uint32_t k = 0; k < v->near_count; k++) {
      const int64_t d = v->offset[v->near[k]] - v->offset[i];
      int64_t low, high;
      if (tni_plan_meets(v->model, i, v->near[k], d, &low, &high))
        return false;
    }
  }
  return true;
}

/* Try to bring everything below the target, in so many steps. */
static bool
improve_reach(improve_state *v, int64_t target, uint64_t steps)
{
  tni_solver *const s = v->solver;
  const tni_plan_model *const m = v->model;
  memcpy(v->offset, s->best, m->count * sizeof *v->offset);
  v->target = target;
  v->out = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    v->weight[i] = (uint64_t)m->size[i];
    if (v->offset[i] + m->size[i] > target) {
      if (m->fixed[i] != TN_PLAN_FREE)
        return false;
      improve_take_out(v, i);
    }
  }
  for (uint64_t step = 0, work = 0; v->out; step++) {
    if (step >= steps || !improve_step(v))
      return false;
    s->nodes++;
    work += IMPROVE_WATCH / 64 + v->near_count;
    if (work < IMPROVE_WATCH)
      continue;
    work = 0;
    if (!tni_solver_goes_on(s))
      return false;
  }
  int64_t height = 0;
  TN_CHECK_SLOW(improve_is_clear(v), "improve.clear");
  for (uint32_t i = 0; i < m->count; i++)
    if (v->offset[i] + m->size[i] > height)
      height = v->offset[i] + m->size[i];
  tni_solver_offer(s, v->offset, height);
  return true;
}

static bool
improve_init(improve_state *v, tni_solver *s)
{
  const tni_plan_model *const m = s->model;
  const size_t n = m->count;
  tni_plan_memory *const memory = s->memory;
  *v = (improve_state){.solver = s, .model = m, .leaves = 1};
  while (v->leaves < n)
    v->leaves *= 2;
  v->by_start = tni_plan_take(memory, n, sizeof *v->by_start);
  v->last = tni_plan_take(memory, 2 * (size_t)v->leaves, sizeof *v->last);
  v->offset = tni_plan_take(memory, n, sizeof *v->offset);
  v->weight = tni_plan_take(memory, n, sizeof *v->weight);
  v->heap = tni_plan_take(memory, n, sizeof *v->heap);
  v->near = tni_plan_take(memory, n, sizeof *v->near);
  v->low = tni_plan_take(memory, n, sizeof *v->low);
  v->high = tni_plan_take(memory, n, sizeof *v->high);
  v->key = tni_plan_take(memory, n, sizeof *v->key);
  v->by_low = tni_plan_take(memory, n, sizeof *v->by_low);
  v->by_high = tni_plan_take(memory, n, sizeof *v->by_high);
  v->spare = tni_plan_take(memory, n, sizeof *v->spare);
  if (!v->by_start || !v->last || !v->offset || !v->weight || !v->heap ||
      !v->near || !v->low || !v->high || !v->key || !v->by_low || !v->by_high ||
      !v->spare)
    return false;
  for (uint32_t i = 0; i < n; i++) {
    v->by_start[i] = i;
    v->key[i] = m->s0[i];
  }
  tni_plan_sort(v->by_start, v->key, n, v->spare);
  for (uint32_t i = 0; i < n; i++)
    v->last[v->leaves + i] = m->s1[v->by_start[i]];
  for (size_t node = v->leaves; node-- > 1;)
    v->last[node] = v->last[2 * node] > v->last[2 * node + 1]
                        ? v->last[2 * node]
                        : v->last[2 * node + 1];
  return true;
}

void
tni_improve(tni_solver *s, uint64_t steps)
{
  const tni_plan_mark mark = tni_plan_mark_set(s->memory);
  improve_state v;
  if (improve_init(&v, s))
    for (int64_t part = 16; part > 0 && tni_solver_goes_on(s);) {
      /* From the bound up: a sixteenth of the gap, an eighth ... */
      const int64_t gap = s->height - s->bound;
      const int64_t target = s->bound + gap / part;
      if (!improve_reach(&v, target < s->height ? target : s->height - 1,
                         steps))
        part /= 2;
    }
  tni_plan_mark_reset(s->memory, mark);
}
