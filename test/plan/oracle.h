/* oracle.h -- what is right, found by trying everything
 *
 * Knows nothing of sections, rests or orders: each buffer is tried at every
 * offset, and time is looked at instant by instant.  For a handful of buffers
 * of small numbers.
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_PLAN_ORACLE_H
#define TEST_PLAN_ORACLE_H

#include <tenure/plan.h>

#include "test.h"

enum { ORACLE_BUFFERS = 12, ORACLE_TIME = 16 };

typedef struct oracle_case {
  tn_plan_buffer buffer[ORACLE_BUFFERS];
  tn_plan_gap gap[ORACLE_BUFFERS];
  tn_plan_share share[ORACLE_BUFFERS];
  size_t count, gaps, shares;
} oracle_case;

/* What the buffer needs at an instant: bytes [low, high). */
typedef struct oracle_need {
  int64_t low, high;
} oracle_need;

static inline oracle_need
oracle_needs(const oracle_case *c, size_t i, int64_t t)
{
  const tn_plan_gap *first = NULL;
  if (t < c->buffer[i].lower || t >= c->buffer[i].upper)
    return (oracle_need){0, 0};
  for (size_t g = 0; g < c->gaps; g++) {
    const tn_plan_gap *const gap = &c->gap[g];
    if (gap->buffer == i && t >= gap->lower && t < gap->upper &&
        (!first || gap->lower < first->lower))
      first = gap;
  }
  return first ? (oracle_need){first->low, first->high}
               : (oracle_need){0, c->buffer[i].size};
}

/* The end of the highest byte that it ever needs; 0: none. */
static inline int64_t
oracle_top(const oracle_case *c, size_t i)
{
  int64_t top = 0;
  for (int64_t t = 0; t < ORACLE_TIME; t++) {
    const oracle_need n = oracle_needs(c, i, t);
    if (n.low < n.high && n.high > top)
      top = n.high;
  }
  return top;
}

static inline bool
oracle_is_share(const oracle_case *c, size_t i, size_t j)
{
  for (size_t s = 0; s < c->shares; s++)
    if ((c->share[s].a == i && c->share[s].b == j) ||
        (c->share[s].a == j && c->share[s].b == i))
      return true;
  return false;
}

/* What the offsets do not change, worked out once. */
typedef struct oracle_table {
  const oracle_case *of;
  int64_t top[ORACLE_BUFFERS];
  oracle_need need[ORACLE_BUFFERS][ORACLE_TIME];
  bool is_share[ORACLE_BUFFERS][ORACLE_BUFFERS];
} oracle_table;

/* Whether i at offset a and j at offset b are in each other's way. */
static inline bool
oracle_clash(const oracle_table *o, size_t i, int64_t a, size_t j, int64_t b)
{
  if (a == b && o->is_share[i][j])
    return false;
  for (int64_t t = 0; t < ORACLE_TIME; t++) {
    const oracle_need x = o->need[i][t], y = o->need[j][t];
    if (x.low < x.high && y.low < y.high && a + x.low < b + y.high &&
        b + y.low < a + x.high)
      return true;
  }
  return false;
}

static inline bool
oracle_place(const oracle_table *o, int64_t *offset, size_t i, int64_t capacity)
{
  if (i == o->of->count)
    return true;
  const tn_plan_buffer *const b = &o->of->buffer[i];
  if (!o->top[i])
    return oracle_place(o, offset, i + 1, capacity);
  const int64_t step = b->align > 1 ? b->align : 1;
  for (int64_t at = 0; at + o->top[i] <= capacity; at += step) {
    bool ok = b->fixed == TN_PLAN_FREE || b->fixed == at;
    for (size_t j = 0; ok && j < i; j++)
      ok = !o->top[j] || !oracle_clash(o, i, at, j, offset[j]);
    offset[i] = at;
    if (ok && oracle_place(o, offset, i + 1, capacity))
      return true;
  }
  return false;
}

static inline oracle_table
oracle_prepare(const oracle_case *c)
{
  oracle_table o = {.of = c};
  for (size_t i = 0; i < c->count; i++) {
    o.top[i] = oracle_top(c, i);
    for (int64_t t = 0; t < ORACLE_TIME; t++)
      o.need[i][t] = oracle_needs(c, i, t);
    for (size_t j = 0; j < i; j++)
      o.is_share[i][j] = oracle_is_share(c, i, j);
  }
  return o;
}

/* Whether there is a plan within the capacity. */
static inline bool
oracle_fits(const oracle_case *c, int64_t capacity)
{
  int64_t offset[ORACLE_BUFFERS];
  const oracle_table o = oracle_prepare(c);
  return oracle_place(&o, offset, 0, capacity);
}

/* The lowest height of all plans up to `most`; -1: there is none. */
static inline int64_t
oracle_height(const oracle_case *c, int64_t most)
{
  int64_t offset[ORACLE_BUFFERS];
  const oracle_table o = oracle_prepare(c);
  if (!oracle_place(&o, offset, 0, most))
    return -1;
  int64_t h = 0;
  while (!oracle_place(&o, offset, 0, h))
    h++;
  return h;
}

static inline tn_plan_problem
oracle_problem(const oracle_case *c, int64_t capacity)
{
  return (tn_plan_problem){.buffers = c->buffer,
                           .count = c->count,
                           .gaps = c->gap,
                           .gap_count = c->gaps,
                           .shares = c->share,
                           .share_count = c->shares,
                           .capacity = capacity};
}

/* A case of small numbers; extras: also alignment, gaps, fixed offsets. */
static inline void
oracle_random(oracle_case *c, uint64_t *state, bool extras)
{
  *c = (oracle_case){.count = 1 + test_random(state) % 6};
  for (size_t i = 0; i < c->count; i++) {
    const int64_t lower = (int64_t)(test_random(state) % 5);
    const int64_t width = (int64_t)(test_random(state) % 4) + !extras;
    const int64_t size = (int64_t)(test_random(state) % 5) + !extras;
    c->buffer[i] = (tn_plan_buffer)TN_PLAN_BUFFER(lower, lower + width, size);
    if (!extras)
      continue;
    c->buffer[i].align = (int64_t)(test_random(state) % 4);
    if (test_random(state) % 6 == 0) {
      const int64_t step = c->buffer[i].align ? c->buffer[i].align : 1;
      c->buffer[i].fixed = (int64_t)(test_random(state) % 6) / step * step;
    }
    if (c->gaps < ORACLE_BUFFERS && width > 1 && test_random(state) % 4 == 0) {
      const int64_t from = lower + (int64_t)(test_random(state) % 3);
      c->gap[c->gaps++] = (tn_plan_gap){i, from, from + 1, 0, 0};
      if (c->gaps < ORACLE_BUFFERS && (test_random(state) & 1))
        c->gap[c->gaps++] = (tn_plan_gap){i, from - 1, from + 2, 0, 0};
    }
  }
}

/* The same with gaps that keep windows, in most buffers. */
static inline void
oracle_random_windows(oracle_case *c, uint64_t *state, bool extras)
{
  oracle_random(c, state, extras);
  for (size_t i = 0; i < c->count && c->gaps + 2 < ORACLE_BUFFERS; i++) {
    tn_plan_buffer *const b = &c->buffer[i];
    for (int64_t t = b->lower; t < b->upper && c->gaps < ORACLE_BUFFERS; t++) {
      if (test_random(state) % 2)
        continue;
      const int64_t low =
          (int64_t)(test_random(state) % (uint64_t)(b->size + 1));
      const int64_t high =
          low + (int64_t)(test_random(state) % (uint64_t)(b->size - low + 1));
      const int64_t from = t - (int64_t)(test_random(state) % 2);
      c->gap[c->gaps++] = (tn_plan_gap){
          i, from, t + 1 + (int64_t)(test_random(state) % 2), low, high};
    }
  }
}

/* Cut the box {lower, upper, bottom, top} into so many pieces at most by
 * guillotine: a plan without waste, whose height is known. */
static inline void
oracle_cut(tn_plan_buffer *b, size_t *count, size_t most, const int64_t box[4],
           uint64_t *state)
{
  const int64_t width = box[1] - box[0], height = box[3] - box[2];
  if (most < 2 || (width < 2 && height < 2)) {
    b[(*count)++] = (tn_plan_buffer)TN_PLAN_BUFFER(box[0], box[1], height);
    return;
  }
  int64_t one[4] = {box[0], box[1], box[2], box[3]};
  int64_t two[4] = {box[0], box[1], box[2], box[3]};
  if (height < 2 || (width > 1 && (test_random(state) & 1)))
    one[1] = two[0] =
        box[0] + 1 + (int64_t)(test_random(state) % (uint64_t)(width - 1));
  else
    one[3] = two[2] =
        box[2] + 1 + (int64_t)(test_random(state) % (uint64_t)(height - 1));
  oracle_cut(b, count, most / 2, one, state);
  oracle_cut(b, count, most - most / 2, two, state);
}

#endif
