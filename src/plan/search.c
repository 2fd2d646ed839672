/* search.c -- the exact search: nodes, candidates, decomposition (search.h)
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"
#include "plan/engine.h"

#include <string.h>

/* ---- placing and taking back ---- */

static void
search_count(tni_engine *e, uint32_t item, int32_t sign)
{
  const tni_search_problem *const p = e->problem;
  for (uint32_t k = p->first[item]; k < p->first[item + 1]; k++) {
    const int32_t size = sign * p->piece[k].size;
    for (uint32_t s = p->piece[k].s0; s < p->piece[k].s1; s++)
      e->total[s] += size;
  }
  for (uint32_t s = p->s0[item]; s + 1 < p->s1[item]; s++)
    e->cuts[s] += sign;
}

/* Undo down to the marks.  [search.trail] */
static void
search_undo(tni_engine *e, uint32_t raised, uint32_t placed)
{
  while (e->raised_count > raised) {
    const engine_raise *const r = &e->raised[--e->raised_count];
    e->rest[r->item] = r->rest;
  }
  while (e->placed_count > placed) {
    const uint32_t item = e->placed[--e->placed_count];
    e->is_placed[item] = false;
    search_count(e, item, 1);
  }
}

/* ---- candidates ---- */

/* Sort candidate positions by (rest, position): few, so by insertion. */
static void
search_sort_candidates(const tni_engine *e, const uint16_t *ids,
                       uint16_t *candidate, uint32_t count)
{
  for (uint32_t i = 1; i < count; i++) {
    const uint16_t moved = candidate[i];
    const int32_t rest = e->rest[ids[moved]];
    uint32_t at = i;
    for (; at > 0 && e->rest[ids[candidate[at - 1]]] > rest; at--)
      candidate[at] = candidate[at - 1];
    candidate[at] = moved;
  }
}

/* Nothing may be placed at or above this offset next: some unplaced item would
 * fit whole below, or a section could no longer hold what it must. */
static int32_t
search_horizon(const tni_engine *e, const engine_frame *f)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const ids = e->ids + f->ids;
  int32_t horizon = INT32_MAX, most = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const int32_t top = e->rest[ids[i]] + p->size[ids[i]];
    horizon = top < horizon ? top : horizon;
  }
  for (uint32_t s = f->s0; s < f->s1; s++)
    most = e->total[s] > most ? e->total[s] : most;
  const int32_t above = p->ceiling - most + 1;
  return above < horizon ? above : horizon;
}

/* Fill in the frame's candidates. */
static void
search_candidates(tni_engine *e, engine_frame *f)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const ids = e->ids + f->ids;
  uint16_t *const out = e->candidate + f->candidate;
  const int32_t horizon = search_horizon(e, f);
  uint32_t count = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t item = ids[i];
    const int32_t rest = e->rest[item];
    if (rest < f->low || rest >= horizon || (rest == f->low && i < f->low_at))
      continue;
    if (p->twin[item] != TNI_PLAN_NONE && !e->is_placed[p->twin[item]])
      continue;
    out[count++] = (uint16_t)i;
  }
  search_sort_candidates(e, ids, out, count);
  /* A fixed item must be placed when its turn comes: nothing after it. */
  for (uint32_t i = 0; i < count; i++)
    if (p->is_fixed[ids[out[i]]])
      count = i + 1;
  f->candidate_count = count;
  f->candidate_next = 0;
  e->candidate_top = f->candidate + count;
}

/* ---- a child ---- */

/* Lists of the child: f's without the item at position `at`, those that meet
 * it raised.  Returns false when one is raised above its latest offset. */
static bool
search_raise(tni_engine *e, const engine_frame *f, uint32_t at,
             engine_frame *child)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const ids = e->ids + f->ids;
  uint16_t *const out = e->ids + child->ids;
  const uint32_t item = ids[at];
  const int32_t offset = e->rest[item];
  uint32_t s0 = p->s0[item], s1 = p->s1[item], met = 0;
  for (uint32_t i = 0, n = 0; i < f->count; i++) {
    const uint32_t other = ids[i];
    if (i == at)
      continue;
    out[n++] = (uint16_t)other;
    const int32_t above = tni_search_above(p, item, other);
    met += above != 0;
    if (above == 0 || e->rest[other] >= offset + above)
      continue;
    e->raised[e->raised_count++] = (engine_raise){other, e->rest[other]};
    e->rest[other] = tni_search_align(offset + above, p->align[other]);
    if (e->rest[other] > p->latest[other])
      return false;
    s0 = p->s0[other] < s0 ? p->s0[other] : s0;
    s1 = p->s1[other] > s1 ? p->s1[other] : s1;
  }
  child->hull0 = s0;
  child->hull1 = s1;
  child->is_alone = met == 0;
  return true;
}

/* Sort the items raised since e->raised_count was `mark` by rest, into
 * e->floating, and mark them; returns how many. */
static uint32_t
search_sort_raised(tni_engine *e, uint32_t mark)
{
  uint16_t *const up = e->floating;
  const uint32_t raised = e->raised_count - mark;
  for (uint32_t i = 0; i < raised; i++) {
    const uint32_t item = e->raised[mark + i].item;
    const int32_t rest = e->rest[item];
    uint32_t at = i;
    for (; at > 0 && e->rest[up[at - 1]] > rest; at--)
      up[at] = up[at - 1];
    up[at] = (uint16_t)item;
    e->is_raised[item] = true;
  }
  return raised;
}

/* The child's items by rest: f's without the placed one, and the raised ones
 * where they are now. */
static void
search_merge(tni_engine *e, const engine_frame *f, uint32_t placed,
             uint32_t raised, const engine_frame *child)
{
  const uint16_t *const in = e->by_rest + f->ids;
  uint16_t *const out = e->by_rest + child->ids;
  const uint16_t *const up = e->floating;
  uint32_t n = 0, next = 0;
  int32_t stop = raised ? e->rest[up[0]] : INT32_MAX;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t item = in[i];
    if (item == placed || e->is_raised[item])
      continue;
    while (stop < e->rest[item]) {
      out[n++] = up[next++];
      stop = next < raised ? e->rest[up[next]] : INT32_MAX;
    }
    out[n++] = (uint16_t)item;
  }
  while (next < raised)
    out[n++] = up[next++];
}

/* Whether the section in which the bound failed last can still hold its items:
 * what search_merge and the bound would find for it alone, sooner. */
static bool
search_may_fit_failed(const tni_engine *e, const engine_frame *f,
                      uint32_t placed, uint32_t raised, int32_t top)
{
  const tni_search_problem *const p = e->problem;
  const uint16_t *const in = e->by_rest + f->ids, *const up = e->floating;
  const uint32_t s = e->failed;
  if (s < f->s0 || s >= f->s1)
    return true;
  uint32_t next = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const uint32_t item = in[i];
    if (s < p->s0[item] || s >= p->s1[item] || item == placed ||
        e->is_raised[item])
      continue;
    for (; next < raised && e->rest[up[next]] < e->rest[item]; next++)
      top = tni_search_stack(p, up[next], s, e->rest[up[next]], top);
    top = tni_search_stack(p, item, s, e->rest[item], top);
  }
  for (; next < raised; next++)
    top = tni_search_stack(p, up[next], s, e->rest[up[next]], top);
  return top <= p->ceiling;
}

/* Place the item at position `at` of frame f and set up the child; false, all
 * undone, when that cannot lead to a plan. */
static bool
search_place(tni_engine *e, const engine_frame *f, uint32_t at,
             engine_frame *child)
{
  const uint32_t item = e->ids[f->ids + at];
  const int32_t offset = e->rest[item];
  *child = (engine_frame){.ids = e->ids_top,
                          .count = f->count - 1,
                          .candidate = e->candidate_top,
                          .low = offset,
                          .low_at = at,
                          .s0 = f->s0,
                          .s1 = f->s1};
  TN_CHECK(offset > f->low || (offset == f->low && at >= f->low_at),
           "search.order");
  e->nodes++;
  e->offset[item] = offset;
  e->is_placed[item] = true;
  e->placed[e->placed_count++] = (uint16_t)item;
  search_count(e, item, -1);
  if (search_raise(e, f, at, child)) {
    const uint32_t raised = search_sort_raised(e, f->raised);
    const bool may_fit = search_may_fit_failed(e, f, item, raised, offset);
    if (may_fit)
      search_merge(e, f, item, raised, child);
    for (uint32_t i = 0; i < raised; i++)
      e->is_raised[e->floating[i]] = false;
    child->raised = e->raised_count;
    child->placed = e->placed_count;
    if (may_fit && tni_engine_may_fit(e, child) &&
        !tni_engine_has_failed(e, child))
      return true;
  }
  search_undo(e, f->raised, f->placed);
  return false;
}

/* ---- decomposition ---- */

/* Number the sections [s0, s1) by what unplaced items connect. */
static uint32_t
search_components(tni_engine *e, uint32_t s0, uint32_t s1)
{
  uint32_t component = 0;
  for (uint32_t s = s0; s < s1; s++) {
    e->component[s] = component;
    component += s + 1 < s1 && e->cuts[s] == 0;
  }
  return component + 1;
}

/* Deal the frame's items out to the parts, in their order. */
static void
search_deal(const tni_engine *e, const engine_frame *f, engine_part *part,
            uint16_t *list)
{
  for (uint32_t i = 0; i < f->count; i++) {
    const uint16_t item = list[f->ids + i];
    engine_part *const here = &part[e->component[e->problem->s0[item]]];
    list[here->ids + here->dealt++] = item;
  }
  for (uint32_t i = 0; i < f->count; i++)
    part[e->component[e->problem->s0[list[f->ids + i]]]].dealt = 0;
}

/* Append an empty part for each component that has items; their ids follow the
 * frame's.  Returns their number. */
static uint32_t
search_make_parts(tni_engine *e, const engine_frame *f)
{
  const tni_search_problem *const p = e->problem;
  const uint32_t components = search_components(e, f->s0, f->s1);
  const uint16_t *const ids = e->ids + f->ids;
  engine_part *const part = e->part + e->parts;
  memset(part, 0, components * sizeof *part);
  for (uint32_t i = 0; i < f->count; i++)
    part[e->component[p->s0[ids[i]]]].count++;
  for (uint32_t s = f->s1; s-- > f->s0;) {
    engine_part *const here = &part[e->component[s]];
    here->s0 = s;
    here->s1 = here->s1 ? here->s1 : s + 1;
  }
  uint32_t at = e->ids_top;
  for (uint32_t c = 0; c < components; c++) {
    part[c].ids = at;
    at += part[c].count;
  }
  search_deal(e, f, part, e->ids);
  search_deal(e, f, part, e->by_rest);
  uint32_t parts = 0;
  for (uint32_t c = 0; c < components; c++)
    if (part[c].count)
      part[parts++] = part[c];
  return parts;
}

/* When no unplaced item connects some of the frame's sections any more, make
 * it a split, or narrow it. */
TN_COLD static void
search_split(tni_engine *e, engine_frame *f)
{
  const uint32_t parts = search_make_parts(e, f);
  engine_part *const part = e->part + e->parts;
  if (parts == 1) {
    f->s0 = part[0].s0;
    f->s1 = part[0].s1;
    return;
  }
  f->is_split = true;
  f->part = e->parts;
  f->part_count = parts;
  f->part_next = 0;
  for (uint32_t i = 0; i < parts; i++)
    tni_engine_sort(e, e->ids + part[i].ids, part[i].count);
  e->parts += parts;
  e->ids_top += f->count;
}

static bool
search_is_cut(const tni_engine *e, uint32_t item)
{
  const tni_search_problem *const p = e->problem;
  for (uint32_t s = p->s0[item]; s + 1 < p->s1[item]; s++)
    if (e->cuts[s] == 0)
      return true;
  return false;
}

/* ---- the stack ---- */

static void
search_pop(tni_engine *e)
{
  const engine_frame *const f = &e->frame[--e->frames];
  e->ids_top = f->ids;
  e->candidate_top = f->candidate;
  if (f->is_split)
    e->parts = f->part;
}

static engine_signal
search_step_split(tni_engine *e, engine_frame *f, engine_signal from)
{
  if (from == ENGINE_FAIL || f->part_next == f->part_count) {
    search_pop(e);
    return from == ENGINE_FAIL ? ENGINE_FAIL : ENGINE_DONE;
  }
  const engine_part *const part = &e->part[f->part + f->part_next++];
  engine_frame *const node = &e->frame[e->frames++];
  *node = (engine_frame){.ids = e->ids_top,
                         .count = part->count,
                         .candidate = e->candidate_top,
                         .low = f->low,
                         .s0 = part->s0,
                         .s1 = part->s1,
                         .raised = e->raised_count,
                         .placed = e->placed_count,
                         .since = e->nodes};
  const size_t bytes = part->count * sizeof *e->ids;
  memcpy(e->ids + node->ids, e->ids + part->ids, bytes);
  memcpy(e->by_rest + node->ids, e->by_rest + part->ids, bytes);
  e->ids_top += part->count;
  search_candidates(e, node);
  return ENGINE_GO;
}

/* Enter the child that was just placed. */
static void
search_push(tni_engine *e, engine_frame *child, uint32_t item)
{
  e->ids_top += child->count;
  if (child->count && search_is_cut(e, item))
    search_split(e, child);
  if (!child->is_split)
    search_candidates(e, child);
  child->since = e->nodes;
  e->frame[e->frames++] = *child;
}

static engine_signal
search_step_node(tni_engine *e, engine_frame *f, engine_signal from)
{
  if (from == ENGINE_DONE || f->count == 0) {
    search_pop(e);
    return ENGINE_DONE;
  }
  if (from == ENGINE_FAIL)
    search_undo(e, f->raised, f->placed);
  if (f->candidate_next == f->candidate_count) {
    tni_engine_add_failed(e, f);
    search_pop(e);
    return ENGINE_FAIL;
  }
  const uint32_t at = e->candidate[f->candidate + f->candidate_next++];
  engine_frame child;
  const bool is_open = search_place(e, f, at, &child);
  /* An item that meets no other can wait for nothing: if it cannot be placed
   * now there is no plan.  [search.whole] */
  if (child.is_alone)
    f->candidate_next = f->candidate_count;
  if (is_open)
    search_push(e, &child, e->ids[f->ids + at]);
  return ENGINE_GO;
}

tni_search_state
tni_engine_run(tni_engine *e, uint64_t nodes)
{
  if (e->window)
    return tni_window_run(e, nodes);
  const uint64_t stop = e->nodes + nodes;
  engine_signal signal = e->signal;
  while (e->frames && e->nodes < stop) {
    engine_frame *const f = &e->frame[e->frames - 1];
    signal = f->is_split ? search_step_split(e, f, signal)
                         : search_step_node(e, f, signal);
  }
  e->signal = signal;
  if (e->frames)
    return TNI_SEARCH_RUNNING;
  return signal == ENGINE_DONE ? TNI_SEARCH_SOLVED : TNI_SEARCH_EXHAUSTED;
}

/* ---- beginning ---- */

TN_COLD void
tni_engine_restart(tni_engine *e, uint64_t chance)
{
  const tni_search_problem *const p = e->problem;
  tni_engine_rank(e, chance);
  if (e->window) {
    tni_window_restart(e);
    return;
  }
  tni_engine_forget(e);
  memset(e->total, 0, p->sections * sizeof *e->total);
  memset(e->cuts, 0, p->sections * sizeof *e->cuts);
  e->ids_top = e->candidate_top = e->parts = 0;
  e->raised_count = e->placed_count = 0;
  e->frames = 1;
  e->signal = ENGINE_GO;
  engine_frame *const root = &e->frame[0];
  *root = (engine_frame){.count = p->count, .s1 = p->sections};
  bool may_fit = true;
  for (uint32_t i = 0; i < p->count; i++) {
    e->rest[i] = p->release[i];
    e->is_placed[i] = false;
    e->ids[i] = (uint16_t)i;
    search_count(e, i, 1);
    may_fit = may_fit && p->release[i] <= p->latest[i];
  }
  e->ids_top = p->count;
  tni_engine_sort(e, e->ids, p->count);
  for (uint32_t i = 0; i < p->count; i++) {
    e->key[i] = (uint64_t)e->rest[i];
    e->sorted[i] = i;
  }
  tni_plan_sort(e->sorted, e->key, p->count, e->sorted + p->count);
  for (uint32_t i = 0; i < p->count; i++)
    e->by_rest[i] = (uint16_t)e->sorted[i];
  root->hull1 = p->sections;
  tni_engine_choose_width(e);
  if (!may_fit || !tni_engine_may_fit(e, root)) {
    e->frames = 0;
    e->signal = ENGINE_FAIL;
    return;
  }
  search_split(e, root);
  if (!root->is_split)
    search_candidates(e, root);
}

TN_COLD tni_engine *
tni_engine_create(const tni_search_problem *p, unsigned order,
                  tni_plan_memory *m)
{
  const size_t n = p->count, sections = p->sections, square = n * (n + 1);
  tni_engine *const e = tni_plan_take(m, 1, sizeof *e);
  if (!e)
    return NULL;
  e->problem = p;
  e->order = order;
  e->rank = tni_plan_take(m, n, sizeof *e->rank);
  e->key = tni_plan_take_dirty(m, n, sizeof *e->key);
  e->sorted = tni_plan_take_dirty(m, 2 * n, sizeof *e->sorted);
  if (!e->rank || !e->key || !e->sorted)
    return NULL;
  if (p->is_windowed && tni_search_is_complete(p, order)) {
    e->window = tni_window_create(p, m);
    return e->window ? e : NULL;
  }
  e->rest = tni_plan_take(m, n, sizeof *e->rest);
  e->offset = tni_plan_take(m, n, sizeof *e->offset);
  e->is_placed = tni_plan_take(m, n, sizeof *e->is_placed);
  e->total = tni_plan_take(m, sections, sizeof *e->total);
  e->cuts = tni_plan_take(m, sections, sizeof *e->cuts);
  e->top = tni_plan_take(m, sections, sizeof *e->top);
  e->narrow = tni_plan_take(m, sections + 8, sizeof *e->narrow);
  e->component = tni_plan_take(m, sections, sizeof *e->component);
  e->release = tni_plan_take(m, n, sizeof *e->release);
  e->line = tni_plan_take(m, n, sizeof *e->line);
  e->is_raised = tni_plan_take(m, n, sizeof *e->is_raised);
  e->floating = tni_plan_take(m, n, sizeof *e->floating);
  e->by_rest = tni_plan_take_dirty(m, square, sizeof *e->by_rest);
  e->ids = tni_plan_take_dirty(m, square, sizeof *e->ids);
  e->candidate = tni_plan_take_dirty(m, square / 2 + n, sizeof *e->candidate);
  e->placed = tni_plan_take(m, n, sizeof *e->placed);
  e->frame = tni_plan_take_dirty(m, 2 * n + 2, sizeof *e->frame);
  e->part = tni_plan_take_dirty(m, 2 * n + sections + 2, sizeof *e->part);
  e->raised = tni_plan_take_dirty(m, square / 2, sizeof *e->raised);
  const bool ok = e->rest && e->offset && e->is_placed && e->total && e->cuts &&
                  e->top && e->narrow && e->component && e->release &&
                  e->line && e->is_raised && e->floating && e->by_rest &&
                  e->ids && e->candidate && e->placed && e->frame && e->part &&
                  e->raised;
  return ok ? e : NULL;
}

uint64_t
tni_engine_nodes(const tni_engine *e)
{
  return e->nodes;
}

uint64_t
tni_engine_recalled(const tni_engine *e)
{
  return e->recalled;
}

void
tni_engine_offsets(const tni_engine *e, int64_t *offset)
{
  if (e->window)
    tni_window_offsets(e, offset);
  for (uint32_t i = 0; i < e->problem->count && !e->window; i++)
    offset[i] = e->offset[i] * e->problem->unit;
}
