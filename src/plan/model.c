/* model.c -- the problem, checked and put into sections (see plan.h)
 *
 * Endpoints are swept in time order, ends before beginnings; a new section
 * opens at the first beginning after an end.  Sections are therefore maximal
 * cliques, a half to a third as many as there are distinct instants.
 *
 * Source  google/minimalloc's sweeper; theirs keeps sets, this keeps numbers.
 * SPDX-License-Identifier: MIT
 */
#include "plan/plan.h"

#include <string.h>

/* A stretch of a lifetime in which the same bytes are needed. */
typedef struct model_stretch {
  int64_t lower, upper, base, size;
} model_stretch;

/* What is filled in while a model is built. */
typedef struct model_build {
  const tn_plan_problem *problem;
  const bool *use;
  const uint32_t *leader;
  tni_plan_memory *memory;
  uint32_t *gaps;          // indexes of gaps by (buffer, lower)
  uint32_t *member;        // buffers by leader
  int64_t *lower, *upper;  // of pieces
  tni_plan_piece *piece;
  size_t pieces, pieces_max;
  model_stretch *stretch;  // of one item
  uint64_t *key;           // scratch of merging, as the next two
  uint32_t *order, *live;
  size_t stretches;
  bool has_windows, is_rough;
} model_build;

static uint64_t
model_key(int64_t n)
{
  return (uint64_t)n ^ ((uint64_t)1 << 63);
}

/* ---- checks ---- */

TN_COLD static tn_status
model_refuse(tn_plan_result *result, tn_status status, const char *text,
             size_t index)
{
  result->error = text;
  result->error_index = index;
  return status;
}

static bool
model_is_time(int64_t t)
{
  return t >= -TN_PLAN_MAX && t <= TN_PLAN_MAX;
}

static tn_status
model_check_buffer(const tn_plan_buffer *b, size_t i, tn_plan_result *result)
{
  if (!model_is_time(b->lower) || !model_is_time(b->upper))
    return model_refuse(result, TN_ERANGE, "lifetime beyond 2^62", i);
  if (b->upper < b->lower)
    return model_refuse(result, TN_EINVAL, "lifetime ends before it begins", i);
  if (b->size < 0)
    return model_refuse(result, TN_EINVAL, "size is negative", i);
  if (b->size > TN_PLAN_MAX)
    return model_refuse(result, TN_ERANGE, "size beyond 2^62", i);
  if (b->align < 0)
    return model_refuse(result, TN_EINVAL, "alignment is negative", i);
  if (b->align > TN_PLAN_MAX)
    return model_refuse(result, TN_ERANGE, "alignment beyond 2^62", i);
  if (b->fixed < TN_PLAN_FREE)
    return model_refuse(result, TN_EINVAL, "fixed offset is negative", i);
  if (b->fixed > TN_PLAN_MAX)
    return model_refuse(result, TN_ERANGE, "fixed offset beyond 2^62", i);
  if (b->fixed > 0 && b->align > 1 && b->fixed % b->align != 0)
    return model_refuse(result, TN_EINVAL, "fixed offset is not aligned", i);
  return TN_OK;
}

static tn_status
model_check_extras(const tn_plan_problem *p, tn_plan_result *result)
{
  for (size_t i = 0; i < p->gap_count; i++) {
    const tn_plan_gap *const g = &p->gaps[i];
    if (g->buffer >= p->count)
      return model_refuse(result, TN_EINVAL, "gap of no such buffer", i);
    if (!model_is_time(g->lower) || !model_is_time(g->upper))
      return model_refuse(result, TN_ERANGE, "gap beyond 2^62", i);
    if (g->upper < g->lower)
      return model_refuse(result, TN_EINVAL, "gap ends before it begins", i);
    if (g->low < 0 || g->high < g->low || g->high > p->buffers[g->buffer].size)
      return model_refuse(result, TN_EINVAL,
                          "gap's window is not in the buffer", i);
  }
  for (size_t i = 0; i < p->share_count; i++)
    if (p->shares[i].a >= p->count || p->shares[i].b >= p->count ||
        p->shares[i].a == p->shares[i].b)
      return model_refuse(result, TN_EINVAL, "share of no such pair", i);
  if (p->pool_count > TN_PLAN_MAX_POOLS)
    return model_refuse(result, TN_EINVAL, "too many pools", 0);
  for (size_t i = 0; i < p->pool_count; i++) {
    const tn_plan_pool *const pool = &p->pools[i];
    if (pool->capacity < 0 || pool->capacity > TN_PLAN_MAX)
      return model_refuse(result, TN_ERANGE, "pool's capacity out of range", i);
    if (pool->cost < 0 || pool->cost > (1 << 20))
      return model_refuse(result, TN_ERANGE, "pool's cost out of range", i);
  }
  return TN_OK;
}

tn_status
tni_plan_check(const tn_plan_problem *p, tn_plan_result *result)
{
  if (p->count > (size_t)1 << 30 || p->gap_count > (size_t)1 << 30)
    return model_refuse(result, TN_ERANGE, "more than 2^30 buffers or gaps", 0);
  if (p->capacity < 0 || p->capacity > TN_PLAN_MAX)
    return model_refuse(result, TN_ERANGE, "capacity out of range", 0);
  for (size_t i = 0; i < p->count; i++) {
    const tn_status status = model_check_buffer(&p->buffers[i], i, result);
    if (status != TN_OK)
      return status;
  }
  return model_check_extras(p, result);
}

/* ---- pieces ---- */

/* Indexes 0..count-1 sorted by key. */
static uint32_t *
model_sorted(model_build *b, const uint64_t *key, size_t count)
{
  uint32_t *const order = tni_plan_take_dirty(b->memory, count, sizeof *order);
  uint32_t *const spare = tni_plan_take_dirty(b->memory, count, sizeof *spare);
  if (!order || !spare)
    return NULL;
  for (size_t i = 0; i < count; i++)
    order[i] = (uint32_t)i;
  tni_plan_sort(order, key, count, spare);
  return order;
}

static bool
model_sort_gaps(model_build *b)
{
  const tn_plan_problem *const p = b->problem;
  uint64_t *const key = tni_plan_take(b->memory, p->gap_count, sizeof *key);
  if (!key)
    return false;
  for (size_t i = 0; i < p->gap_count; i++)
    key[i] = model_key(p->gaps[i].lower);
  uint32_t *const order = model_sorted(b, key, p->gap_count);
  uint32_t *const spare = tni_plan_take(b->memory, p->gap_count, 4);
  if (!order || !spare)
    return false;
  for (size_t i = 0; i < p->gap_count; i++)
    key[i] = p->gaps[i].buffer;
  tni_plan_sort(order, key, p->gap_count, spare);
  b->gaps = order;
  return true;
}

static void
model_add_stretch(model_build *b, int64_t lower, int64_t upper, int64_t low,
                  int64_t high)
{
  if (lower < upper && low < high)
    b->stretch[b->stretches++] = (model_stretch){lower, upper, low, high - low};
}

/* The stretches of a buffer: its lifetime without its gaps, which begin at
 * `gap` in the sorted list, and what gaps keep. */
static void
model_cut(model_build *b, uint32_t buffer, size_t gap)
{
  const tn_plan_problem *const p = b->problem;
  const tn_plan_buffer *const buf = &p->buffers[buffer];
  int64_t at = buf->lower;
  for (; gap < p->gap_count && p->gaps[b->gaps[gap]].buffer == buffer; gap++) {
    const tn_plan_gap *const g = &p->gaps[b->gaps[gap]];
    const int64_t lower = g->lower > at ? g->lower : at;
    const int64_t upper = g->upper < buf->upper ? g->upper : buf->upper;
    if (lower >= upper)
      continue;
    model_add_stretch(b, at, lower, 0, buf->size);
    model_add_stretch(b, lower, upper, g->low, g->high);
    at = upper;
  }
  model_add_stretch(b, at, buf->upper, 0, buf->size);
}

static void
model_add_piece(model_build *b, size_t first, const model_stretch *s)
{
  const size_t last = b->pieces - 1;
  if (b->pieces > first && b->upper[last] == s->lower &&
      b->piece[last].base == s->base && b->piece[last].size == s->size) {
    b->upper[last] = s->upper;
    return;
  }
  b->lower[b->pieces] = s->lower;
  b->upper[b->pieces] = s->upper;
  b->has_windows |= s->base != 0;
  b->piece[b->pieces].base = s->base;
  b->piece[b->pieces++].size = s->size;
}

/* What those of the live stretches need from lower on, and until when that is
 * so: from the lowest to the highest byte of any, which is rough when two
 * windows leave something between them. */
static model_stretch
model_join(model_build *b, size_t live, int64_t lower, int64_t upper)
{
  int64_t base = INT64_MAX, base_most = 0, top = 0, top_least = INT64_MAX;
  for (size_t i = 0; i < live; i++) {
    const model_stretch *const s = &b->stretch[b->live[i]];
    const int64_t end = s->base + s->size;
    upper = s->upper < upper ? s->upper : upper;
    base = s->base < base ? s->base : base;
    base_most = s->base > base_most ? s->base : base_most;
    top = end > top ? end : top;
    top_least = end < top_least ? end : top_least;
  }
  b->is_rough |= base_most > top_least;
  return (model_stretch){lower, upper, base, top - base};
}

/* Turn the stretches of several buffers into pieces, one after the other in
 * time. */
static void
model_merge(model_build *b)
{
  const size_t first = b->pieces;
  for (size_t i = 0; i < b->stretches; i++) {
    b->order[i] = (uint32_t)i;
    b->key[i] = model_key(b->stretch[i].lower);
  }
  tni_plan_sort(b->order, b->key, b->stretches, b->live);
  int64_t time = INT64_MIN;
  for (size_t next = 0, live = 0, still; live || next < b->stretches;) {
    if (!live)
      time = b->stretch[b->order[next]].lower;
    while (next < b->stretches && b->stretch[b->order[next]].lower == time)
      b->live[live++] = b->order[next++];
    const model_stretch joined = model_join(
        b, live, time,
        next < b->stretches ? b->stretch[b->order[next]].lower : INT64_MAX);
    model_add_piece(b, first, &joined);
    time = joined.upper;
    still = 0;
    for (size_t i = 0; i < live; i++)
      if (b->stretch[b->live[i]].upper > time)
        b->live[still++] = b->live[i];
    live = still;
  }
}

/* ---- items ---- */

typedef struct model_arrays {
  uint32_t *buffer, *s0, *s1, *first;
  int64_t *size, *align, *fixed;
  uint64_t *width;
} model_arrays;

TN_COLD static bool
model_take_arrays(model_build *b, model_arrays *a, size_t n, size_t pieces)
{
  tni_plan_memory *const m = b->memory;
  a->buffer = tni_plan_take(m, n, sizeof *a->buffer);
  a->s0 = tni_plan_take(m, n, sizeof *a->s0);
  a->s1 = tni_plan_take(m, n, sizeof *a->s1);
  a->first = tni_plan_take(m, n + 1, sizeof *a->first);
  a->size = tni_plan_take(m, n, sizeof *a->size);
  a->width = tni_plan_take(m, n, sizeof *a->width);
  a->align = tni_plan_take(m, n, sizeof *a->align);
  a->fixed = tni_plan_take(m, n, sizeof *a->fixed);
  b->piece = tni_plan_take(m, pieces, sizeof *b->piece);
  return a->buffer && a->s0 && a->s1 && a->first && a->size && a->width &&
         a->align && a->fixed && b->piece;
}

/* Make an item of the group whose members are member[from..to). */
static void
model_add_item(model_build *b, model_arrays *a, uint32_t *count,
               const uint32_t *member, size_t members, const size_t *gap_at)
{
  const uint32_t item = *count;
  b->stretches = 0;
  const size_t first = b->pieces;
  int64_t align = 1, fixed = TN_PLAN_FREE, size = 0;
  for (size_t i = 0; i < members; i++) {
    const tn_plan_buffer *const buf = &b->problem->buffers[member[i]];
    if (buf->size == 0 || buf->lower == buf->upper)
      continue;
    model_cut(b, member[i], gap_at ? gap_at[member[i]] : 0);
    if (buf->align > 1 && !tni_plan_join_align(&align, buf->align))
      fixed = 0;  // the only offset that is a multiple of both
    if (buf->fixed != TN_PLAN_FREE)
      fixed = buf->fixed;
  }
  if (b->stretches == 0)
    return;
  if (members > 1)
    model_merge(b);
  else
    for (size_t i = 0; i < b->stretches; i++)
      model_add_piece(b, first, &b->stretch[i]);
  for (size_t k = first; k < b->pieces; k++) {
    const int64_t top = b->piece[k].base + b->piece[k].size;
    size = top > size ? top : size;
  }
  a->buffer[item] = b->leader ? b->leader[member[0]] : member[0];
  a->size[item] = size;
  a->align[item] = align;
  a->fixed[item] = fixed;
  a->first[item + 1] = (uint32_t)b->pieces;
  ++*count;
}

/* Where each buffer's gaps begin in the sorted list. */
static size_t *
model_index_gaps(model_build *b)
{
  const tn_plan_problem *const p = b->problem;
  size_t *const at = tni_plan_take(b->memory, p->count, sizeof *at);
  if (!at || !model_sort_gaps(b))
    return NULL;
  for (size_t i = p->gap_count; i-- > 0;)
    at[p->gaps[b->gaps[i]].buffer] = i;
  for (size_t i = 0, gap = 0; i < p->count; i++) {
    if (gap < p->gap_count && p->gaps[b->gaps[gap]].buffer == i) {
      while (gap < p->gap_count && p->gaps[b->gaps[gap]].buffer == i)
        gap++;
    } else {
      at[i] = p->gap_count;
    }
  }
  return at;
}

/* The buffers in use, members of a group side by side. */
static bool
model_sort_members(model_build *b, size_t *used)
{
  const size_t n = b->problem->count;
  uint64_t *const key = tni_plan_take(b->memory, n, sizeof *key);
  if (!key)
    return false;
  for (size_t i = 0; i < n; i++) {
    const bool use = !b->use || b->use[i];
    key[i] = !use ? UINT64_MAX : b->leader ? b->leader[i] : i;
    *used += use;
  }
  b->member = model_sorted(b, key, n);
  return b->member != NULL;
}

static bool
model_add_items(model_build *b, model_arrays *a, uint32_t *count)
{
  size_t used = 0;
  size_t *gap_at = NULL;
  if (!model_sort_members(b, &used))
    return false;
  if (b->problem->gap_count && !(gap_at = model_index_gaps(b)))
    return false;
  for (size_t i = 0; i < used;) {
    size_t end = i + 1;
    if (b->leader)
      while (end < used && b->leader[b->member[end]] == b->leader[b->member[i]])
        end++;
    model_add_item(b, a, count, b->member + i, end - i, gap_at);
    i = end;
  }
  return true;
}

/* ---- sections ---- */

/* The sections as the sweep makes them. */
typedef struct model_sweep {
  int64_t *load, *begin, *end;
  uint32_t sections;
  int64_t live;
  bool closed;  // an end has been seen since the last beginning
} model_sweep;

static bool
model_sweep_event(model_build *b, model_sweep *w, uint32_t event)
{
  const bool is_end = event < b->pieces;
  tni_plan_piece *const piece = &b->piece[is_end ? event : event - b->pieces];
  if (is_end) {
    if (!w->closed)
      w->end[w->sections - 1] = b->upper[event];
    piece->s1 = w->sections;
    w->live -= piece->size;
    w->closed = true;
    return true;
  }
  if (piece->size > TN_PLAN_MAX - w->live)
    return false;
  w->sections += w->closed;
  w->closed = false;
  piece->s0 = w->sections - 1;
  w->live += piece->size;
  w->load[w->sections - 1] = w->live;
  w->begin[w->sections - 1] = b->lower[event - b->pieces];
  return true;
}

static tn_status
model_sweep_all(model_build *b, model_sweep *w)
{
  const size_t events = 2 * b->pieces;
  const tni_plan_mark mark = tni_plan_mark_set(b->memory);
  uint64_t *const key = tni_plan_take(b->memory, events, sizeof *key);
  if (!key)
    return TN_ENOMEM;
  for (size_t i = 0; i < b->pieces; i++) {
    key[i] = model_key(b->upper[i]);
    key[i + b->pieces] = model_key(b->lower[i]);
  }
  const uint32_t *const order = model_sorted(b, key, events);
  if (!order)
    return TN_ENOMEM;
  w->closed = true;
  for (size_t i = 0; i < events; i++)
    if (!model_sweep_event(b, w, order[i]))
      return TN_ERANGE;
  tni_plan_mark_reset(b->memory, mark);
  return TN_OK;
}

static void
model_hulls(const model_build *b, const model_arrays *a, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    a->s0[i] = b->piece[a->first[i]].s0;
    a->s1[i] = b->piece[a->first[i + 1] - 1].s1;
    a->width[i] = (uint64_t)b->upper[a->first[i + 1] - 1] -
                  (uint64_t)b->lower[a->first[i]];
  }
}

tn_status
tni_plan_model_build(tni_plan_model *model, const tn_plan_problem *problem,
                     const bool *use, const uint32_t *leader,
                     tni_plan_memory *memory)
{
  model_build b = {
      .problem = problem, .use = use, .leader = leader, .memory = memory};
  model_arrays a;
  const size_t n = problem->count;
  /* A gap splits a stretch in two or three; merging k stretches yields at
   * most 2k - 1 pieces. */
  const size_t stretches = n + 2 * problem->gap_count;
  const size_t pieces = (leader ? 2 : 1) * stretches;
  uint32_t count = 0;
  if (pieces > UINT32_MAX / 2)
    return TN_ERANGE;
  b.lower = tni_plan_take(memory, pieces, sizeof *b.lower);
  b.upper = tni_plan_take(memory, pieces, sizeof *b.upper);
  b.stretch = tni_plan_take(
      memory, leader || problem->gap_count ? stretches : 1, sizeof *b.stretch);
  b.key = tni_plan_take(memory, leader ? stretches : 1, sizeof *b.key);
  b.order = tni_plan_take(memory, leader ? stretches : 1, sizeof *b.order);
  b.live = tni_plan_take(memory, leader ? stretches : 1, sizeof *b.live);
  if (!b.lower || !b.upper || !b.stretch || !b.key || !b.order || !b.live ||
      !model_take_arrays(&b, &a, n, pieces) || !model_add_items(&b, &a, &count))
    return TN_ENOMEM;
  model_sweep w = {0};
  w.load = tni_plan_take(memory, b.pieces, sizeof *w.load);
  w.begin = tni_plan_take(memory, b.pieces, sizeof *w.begin);
  w.end = tni_plan_take(memory, b.pieces, sizeof *w.end);
  if (!w.load || !w.begin || !w.end)
    return TN_ENOMEM;
  const tn_status status = model_sweep_all(&b, &w);
  if (status != TN_OK)
    return status;
  model_hulls(&b, &a, count);
  *model = (tni_plan_model){.count = count,
                            .sections = w.sections,
                            .buffer = a.buffer,
                            .size = a.size,
                            .width = a.width,
                            .align = a.align,
                            .fixed = a.fixed,
                            .s0 = a.s0,
                            .s1 = a.s1,
                            .first = a.first,
                            .piece = b.piece,
                            .has_windows = b.has_windows,
                            .is_rough = b.is_rough,
                            .load = w.load,
                            .begin = w.begin,
                            .end = w.end};
  for (uint32_t s = 1; s < w.sections; s++)
    if (w.load[s] > w.load[model->peak])
      model->peak = s;
  return TN_OK;
}

/* From one pair of pieces of i and j that are alive together to the next, in
 * the order of time; begins with *p NULL, and returns false at the end. */
static bool
model_next_pair(const tni_plan_model *m, uint32_t i, uint32_t j,
                const tni_plan_piece **p, const tni_plan_piece **q)
{
  const tni_plan_piece *const p_end = m->piece + m->first[i + 1];
  const tni_plan_piece *const q_end = m->piece + m->first[j + 1];
  if (!*p) {
    *p = m->piece + m->first[i];
    *q = m->piece + m->first[j];
  } else if ((*p)->s1 <= (*q)->s1) {
    ++*p;
  } else {
    ++*q;
  }
  while (*p < p_end && *q < q_end) {
    if ((*p)->s1 <= (*q)->s0)
      ++*p;
    else if ((*q)->s1 <= (*p)->s0)
      ++*q;
    else
      return true;
  }
  return false;
}

int64_t
tni_plan_above(const tni_plan_model *m, uint32_t i, uint32_t j)
{
  int64_t most = INT64_MIN;
  const tni_plan_piece *p = NULL, *q = NULL;
  while (model_next_pair(m, i, j, &p, &q)) {
    const int64_t high = p->base + p->size - q->base;
    most = high > most ? high : most;
  }
  return most;
}

bool
tni_plan_meets(const tni_plan_model *m, uint32_t i, uint32_t j, int64_t d,
               int64_t *a, int64_t *b)
{
  bool grows = true;
  *a = *b = d;
  while (grows) {
    const tni_plan_piece *p = NULL, *q = NULL;
    grows = false;
    while (model_next_pair(m, i, j, &p, &q)) {
      const int64_t low = p->base - q->base - q->size;
      const int64_t high = p->base + p->size - q->base;
      if (low >= *b || high <= *a || (low >= *a && high <= *b))
        continue;
      *a = low < *a ? low : *a;
      *b = high > *b ? high : *b;
      grows = true;
    }
  }
  return *a < *b;
}
