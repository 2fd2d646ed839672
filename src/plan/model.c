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

/* A stretch of a lifetime with one size. */
typedef struct model_stretch {
  int64_t lower, upper, size;
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
  size_t stretches;
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
model_add_stretch(model_build *b, int64_t lower, int64_t upper, int64_t size)
{
  if (lower < upper)
    b->stretch[b->stretches++] = (model_stretch){lower, upper, size};
}

/* The stretches of a buffer: its lifetime without its gaps, which begin at
 * *gap in the sorted list. */
static void
model_cut(model_build *b, uint32_t buffer, size_t *gap)
{
  const tn_plan_problem *const p = b->problem;
  const tn_plan_buffer *const buf = &p->buffers[buffer];
  int64_t lower = buf->lower;
  for (; *gap < p->gap_count && p->gaps[b->gaps[*gap]].buffer == buffer;
       ++*gap) {
    const tn_plan_gap *const g = &p->gaps[b->gaps[*gap]];
    if (g->lower >= g->upper)
      continue;
    const int64_t stop = g->lower < buf->upper ? g->lower : buf->upper;
    model_add_stretch(b, lower, stop, buf->size);
    lower = g->upper > lower ? g->upper : lower;
  }
  model_add_stretch(b, lower, buf->upper, buf->size);
}

/* The largest size among the stretches that cover [t, t + 1). */
static int64_t
model_height_at(const model_build *b, int64_t t)
{
  int64_t most = 0;
  for (size_t i = 0; i < b->stretches; i++)
    if (b->stretch[i].lower <= t && t < b->stretch[i].upper &&
        b->stretch[i].size > most)
      most = b->stretch[i].size;
  return most;
}

/* The first end of a stretch after t. */
static int64_t
model_next_end(const model_build *b, int64_t t)
{
  int64_t next = INT64_MAX;
  for (size_t i = 0; i < b->stretches; i++) {
    if (b->stretch[i].lower > t && b->stretch[i].lower < next)
      next = b->stretch[i].lower;
    if (b->stretch[i].upper > t && b->stretch[i].upper < next)
      next = b->stretch[i].upper;
  }
  return next;
}

static void
model_add_piece(model_build *b, size_t first, int64_t lower, int64_t upper,
                int64_t size)
{
  const size_t last = b->pieces - 1;
  if (b->pieces > first && b->upper[last] == lower &&
      b->piece[last].size == size) {
    b->upper[last] = upper;
    return;
  }
  b->lower[b->pieces] = lower;
  b->upper[b->pieces] = upper;
  b->piece[b->pieces++].size = size;
}

/* Turn the stretches into pieces, one after the other in time; where they
 * overlap the largest size counts. */
static void
model_flatten(model_build *b)
{
  const size_t first = b->pieces;
  if (b->stretches == 1) {
    const model_stretch *const s = &b->stretch[0];
    model_add_piece(b, first, s->lower, s->upper, s->size);
    return;
  }
  int64_t t = model_next_end(b, INT64_MIN);
  while (t != INT64_MAX) {
    const int64_t next = model_next_end(b, t);
    const int64_t size = model_height_at(b, t);
    if (size > 0)
      model_add_piece(b, first, t, next, size);
    t = next;
  }
}

static int64_t
model_gcd(int64_t a, int64_t b)
{
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Make *align a multiple of another; false when that is beyond every offset,
 * *align is then as it was. */
static bool
model_align(int64_t *align, int64_t other)
{
  const int64_t part = *align / model_gcd(*align, other);
  if (part > TN_PLAN_MAX / other)
    return false;
  *align = part * other;
  return true;
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
  int64_t align = 1, fixed = TN_PLAN_FREE, size = 0;
  for (size_t i = 0; i < members; i++) {
    const tn_plan_buffer *const buf = &b->problem->buffers[member[i]];
    if (buf->size == 0 || buf->lower == buf->upper)
      continue;
    size_t gap = gap_at ? gap_at[member[i]] : 0;
    model_cut(b, member[i], &gap);
    if (buf->align > 1 && !model_align(&align, buf->align))
      fixed = 0;  // the only offset that is a multiple of both
    if (buf->fixed != TN_PLAN_FREE)
      fixed = buf->fixed;
    if (buf->size > size)
      size = buf->size;
  }
  if (b->stretches == 0)
    return;
  a->buffer[item] = b->leader ? b->leader[member[0]] : member[0];
  a->size[item] = size;
  a->align[item] = align;
  a->fixed[item] = fixed;
  model_flatten(b);
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
  /* A gap splits a stretch in two; flattening k stretches yields at most
   * 2k - 1 pieces. */
  const size_t pieces = (leader ? 2 : 1) * (n + problem->gap_count);
  uint32_t count = 0;
  if (pieces > UINT32_MAX / 2)
    return TN_ERANGE;
  b.lower = tni_plan_take(memory, pieces, sizeof *b.lower);
  b.upper = tni_plan_take(memory, pieces, sizeof *b.upper);
  b.stretch = tni_plan_take(
      memory, leader || problem->gap_count ? n + problem->gap_count : 1,
      sizeof *b.stretch);
  if (!b.lower || !b.upper || !b.stretch ||
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
                            .load = w.load,
                            .begin = w.begin,
                            .end = w.end};
  for (uint32_t s = 1; s < w.sections; s++)
    if (w.load[s] > w.load[model->peak])
      model->peak = s;
  return TN_OK;
}

int64_t
tni_plan_above(const tni_plan_model *m, uint32_t i, uint32_t j)
{
  int64_t most = 0;
  for (uint32_t p = m->first[i]; p < m->first[i + 1]; p++)
    for (uint32_t q = m->first[j]; q < m->first[j + 1]; q++)
      if (m->piece[p].s0 < m->piece[q].s1 && m->piece[q].s0 < m->piece[p].s1 &&
          m->piece[p].size > most)
        most = m->piece[p].size;
  return most;
}
