/* window.c -- the search for windows that cross (see engine.h)
 *
 * When gaps keep windows, two items can be one above the other at one instant
 * and the other way round later:
 *
 *     |  i  |  j  |     At these distances they meet, at those beyond they do
 *     |-----|-----|     not: the forbidden distances are several intervals, and
 *     |  j  |  i  |     an item may rest on one with a higher offset.
 *
 * So items cannot be placed in the order of their offsets.  Instead a node
 * holds arcs, each of which says that one item is so far above another, and
 * the lowest offset of every item that satisfies them all.  When no two items
 * meet at these offsets they are a plan.  Otherwise two that do have a distance
 * in a forbidden interval, and every plan has it at or below one end or at or
 * above the other: two children, each with an arc more.
 *
 * Invariants
 *   [window.low]    low is the least solution of the arcs: no plan that
 *                   satisfies them has an item lower.
 *   [window.whole]  a node fails only when some item would be above its latest
 *                   offset, a section cannot hold its pieces, or arcs run in a
 *                   circle that lifts.
 * Cost      O(items^2) a node, and more when arcs lift many items.
 * Source    the disjunctive graph of job-shop scheduling (Roy, Sussmann 1964).
 * SPDX-License-Identifier: MIT
 */
#include "plan/engine.h"

#include <string.h>

/* offset[to] >= offset[from] + weight; the other child of the node turns it
 * round with weight `other`. */
typedef struct window_arc {
  uint32_t from, to;
  uint32_t next;  // of the arcs from `from`
  bool is_last;   // the other child has been looked at, or has no plan
  int64_t weight, other;
} window_arc;

typedef struct tni_window {
  window_arc *arc;
  uint32_t arcs;
  uint32_t *head;   // of an item: its newest arc, or NONE
  uint32_t *order;  // items by rank
  uint32_t *queue;  // a ring: items whose arcs have to be looked at
  uint32_t queue_first, queue_count, queue_room;
  bool *is_queued;
  int64_t *low;        // [window.low]
  int64_t *latest;     // the highest offset of an item
  int64_t *period;     // of the way that lifted it, see window_follow
  uint32_t *line;      // pieces by the lowest byte they can have
  uint32_t *owner;     // of a piece
  int64_t *top;        // of a section
  uint32_t source;     // of the newest arc, or NONE
  int64_t source_low;  // where it was before that
  bool is_infeasible;  // at this capacity, without any arc
  bool is_back;        // the last child has failed
} tni_window;

/* The intervals of all pairs: so many arcs there can be on one path. */
static size_t
window_count_arcs(const tni_search_problem *p)
{
  size_t count = 0;
  for (uint32_t i = 0; i < p->count; i++)
    for (uint32_t j = 0; j < i; j++)
      if (p->s0[i] < p->s1[j] && p->s0[j] < p->s1[i])
        count += p->first[i + 1] - p->first[i] + p->first[j + 1] - p->first[j];
  return count;
}

TN_COLD tni_window *
tni_window_create(const tni_search_problem *p, tni_plan_memory *m)
{
  const size_t n = p->count, pieces = p->first[n];
  tni_window *const w = tni_plan_take(m, 1, sizeof *w);
  if (!w)
    return NULL;
  w->arc = tni_plan_take_dirty(m, window_count_arcs(p), sizeof *w->arc);
  w->head = tni_plan_take(m, n, sizeof *w->head);
  w->order = tni_plan_take(m, n, sizeof *w->order);
  w->queue = tni_plan_take(m, n, sizeof *w->queue);
  w->queue_room = p->count;
  w->is_queued = tni_plan_take(m, n, sizeof *w->is_queued);
  w->low = tni_plan_take(m, n, sizeof *w->low);
  w->latest = tni_plan_take(m, n, sizeof *w->latest);
  w->period = tni_plan_take(m, n, sizeof *w->period);
  w->line = tni_plan_take(m, pieces, sizeof *w->line);
  w->owner = tni_plan_take(m, pieces, sizeof *w->owner);
  w->top = tni_plan_take(m, p->sections, sizeof *w->top);
  return w->arc && w->head && w->order && w->queue && w->is_queued && w->low &&
                 w->latest && w->period && w->line && w->owner && w->top
             ? w
             : NULL;
}

static void
window_push(tni_window *w, uint32_t item)
{
  if (w->is_queued[item])
    return;
  const uint32_t at = w->queue_first + w->queue_count++;
  w->is_queued[item] = true;
  w->queue[at < w->queue_room ? at : at - w->queue_room] = item;
}

/* Follow one arc; false when no plan satisfies it.
 *
 * All that is lifted now is lifted over ways from the source.  What a way does
 * to an offset above is the same one period higher, when that is a multiple of
 * all alignments on it: a way back to the source that lifts it by a period
 * lifts it for ever.  With no alignment the period is 1. */
static bool
window_follow(tni_window *w, const tni_search_problem *p, const window_arc *arc)
{
  const int64_t most = w->latest[arc->to];
  if (arc->weight > most - w->low[arc->from])
    return false;
  const int64_t align = p->is_fixed[arc->to] ? 1 : p->model->align[arc->to];
  const int64_t least = w->low[arc->from] + arc->weight;
  const int64_t low = least > 0 ? tni_plan_round_up(least, align) : 0;
  if (low <= w->low[arc->to])
    return true;
  int64_t period = w->period[arc->from];
  if (!tni_plan_join_align(&period, align))
    period = INT64_MAX;
  if (low > most || (arc->to == w->source && low - w->source_low >= period))
    return false;
  w->period[arc->to] = period;
  w->low[arc->to] = low;
  window_push(w, arc->to);
  return true;
}

/* Lift what the arcs of the items in the queue lift; the queue is then empty. */
static bool
window_settle(tni_window *w, const tni_search_problem *p)
{
  bool ok = true;
  while (w->queue_count) {
    const uint32_t item = w->queue[w->queue_first++];
    if (w->queue_first == w->queue_room)
      w->queue_first = 0;
    w->queue_count--;
    w->is_queued[item] = false;
    for (uint32_t a = w->head[item]; ok && a != TNI_PLAN_NONE;
         a = w->arc[a].next)
      ok = window_follow(w, p, &w->arc[a]);
  }
  return ok;
}

/* The least offsets for the arcs there are, from nothing. */
static void
window_reset(tni_window *w, const tni_search_problem *p)
{
  for (uint32_t i = 0; i < p->count; i++) {
    w->low[i] = p->is_fixed[i] ? p->model->fixed[i] : 0;
    w->period[i] = 1;
    window_push(w, i);
  }
  w->source = TNI_PLAN_NONE;
  if (!window_settle(w, p)) {
    TN_CHECK(false, "window.low");
  }
}

/* Add the newest arc to the lists, and what follows from it. */
static bool
window_add(tni_window *w, const tni_search_problem *p)
{
  window_arc *const arc = &w->arc[w->arcs];
  arc->next = w->head[arc->from];
  w->head[arc->from] = w->arcs++;
  w->source = arc->from;
  w->source_low = w->low[arc->from];
  w->period[arc->from] = 1;
  return window_follow(w, p, arc) && window_settle(w, p);
}

/* Give up arcs up to one that can be turned round, and do so; false: there is
 * none. */
static bool
window_back(tni_window *w, const tni_search_problem *p)
{
  bool is_open = false;
  while (w->arcs && !is_open) {
    const window_arc *const arc = &w->arc[--w->arcs];
    w->head[arc->from] = arc->next;
    is_open = !arc->is_last;
  }
  if (!is_open)
    return false;
  window_reset(w, p);
  window_arc *const arc = &w->arc[w->arcs];
  *arc = (window_arc){arc->to, arc->from, 0, true, arc->other, 0};
  w->is_back = !window_add(w, p);
  return true;
}

static int64_t
window_release(const tni_window *w, const tni_search_problem *p, uint32_t piece)
{
  return w->low[w->owner[piece]] + p->model->piece[piece].base;
}

/* Whether every section can hold its pieces above their releases. */
static bool
window_may_fit(tni_window *w, const tni_search_problem *p)
{
  const uint32_t pieces = p->first[p->count];
  for (uint32_t i = 1; i < pieces; i++) {
    const uint32_t moved = w->line[i];
    const int64_t release = window_release(w, p, moved);
    uint32_t at = i;
    for (; at > 0 && window_release(w, p, w->line[at - 1]) > release; at--)
      w->line[at] = w->line[at - 1];
    w->line[at] = moved;
  }
  memset(w->top, 0, p->sections * sizeof *w->top);
  for (uint32_t i = 0; i < pieces; i++) {
    const tni_plan_piece *const piece = &p->model->piece[w->line[i]];
    const int64_t release = window_release(w, p, w->line[i]);
    for (uint32_t s = piece->s0; s < piece->s1; s++) {
      const int64_t top = w->top[s] > release ? w->top[s] : release;
      if (piece->size > p->capacity - top)
        return false;
      w->top[s] = top + piece->size;
    }
  }
  return true;
}

/* The lowest two items that meet, as the arc that lifts the later of them in
 * order; false: no two meet. */
static bool
window_find(const tni_window *w, const tni_search_problem *p, window_arc *arc)
{
  int64_t lowest = INT64_MAX;
  for (uint32_t k = 1; k < p->count; k++)
    for (uint32_t l = 0; l < k; l++) {
      const uint32_t i = w->order[l], j = w->order[k];
      const int64_t high = w->low[i] > w->low[j] ? w->low[i] : w->low[j];
      int64_t a, b;
      if (p->s0[i] >= p->s1[j] || p->s0[j] >= p->s1[i] || high >= lowest ||
          !tni_plan_meets(p->model, i, j, w->low[j] - w->low[i], &a, &b))
        continue;
      lowest = high;
      *arc = (window_arc){i, j, 0, false, b, -a};
    }
  return lowest != INT64_MAX;
}

/* Take a step from the node; *is_plan when it is one; false: all have failed.
 * [window.whole] */
static bool
window_step(tni_window *w, const tni_search_problem *p, bool *is_plan)
{
  if (w->is_back || !window_may_fit(w, p))
    return window_back(w, p);
  window_arc *const arc = &w->arc[w->arcs];
  *is_plan = !window_find(w, p, arc);
  if (*is_plan)
    return true;
  /* Of two alike that which comes first goes below. */
  if (p->twin[arc->from] == arc->to)
    *arc = (window_arc){arc->to, arc->from, 0, true, arc->other, 0};
  arc->is_last |= p->twin[arc->to] == arc->from;
  w->is_back = !window_add(w, p);
  return true;
}

tni_search_state
tni_window_run(tni_engine *e, uint64_t nodes)
{
  tni_window *const w = e->window;
  bool is_plan = false;
  if (w->is_infeasible)
    return TNI_SEARCH_EXHAUSTED;
  for (const uint64_t stop = e->nodes + nodes; e->nodes < stop; e->nodes++) {
    w->is_infeasible = !window_step(w, e->problem, &is_plan);
    if (w->is_infeasible || is_plan)
      return is_plan ? TNI_SEARCH_SOLVED : TNI_SEARCH_EXHAUSTED;
  }
  return TNI_SEARCH_RUNNING;
}

void
tni_window_restart(tni_engine *e)
{
  const tni_search_problem *const p = e->problem;
  const tni_plan_model *const m = p->model;
  tni_window *const w = e->window;
  w->arcs = 0;
  w->is_infeasible = w->is_back = false;
  for (uint32_t i = 0; i < p->count; i++) {
    w->order[e->rank[i]] = i;
    w->head[i] = TNI_PLAN_NONE;
    w->latest[i] = p->capacity - m->size[i];
    if (p->is_fixed[i] && m->fixed[i] <= w->latest[i])
      w->latest[i] = m->fixed[i];
    w->low[i] = p->is_fixed[i] ? m->fixed[i] : 0;
    w->is_infeasible |= w->low[i] > w->latest[i];
    for (uint32_t k = p->first[i]; k < p->first[i + 1]; k++) {
      w->line[k] = k;
      w->owner[k] = i;
    }
  }
}

void
tni_window_offsets(const tni_engine *e, int64_t *offset)
{
  memcpy(offset, e->window->low, e->problem->count * sizeof *offset);
}
