/* fit.c -- one item after the other into the first or best hole (see fit.h)
 * SPDX-License-Identifier: MIT
 */
#include "plan/fit.h"
#include "plan/solver.h"

#include <string.h>

typedef struct tni_fit_span {
  int64_t lower, upper;
} tni_fit_span;

enum {
  FIT_SETS_MAX = 256,  // any and cover on two paths of <= 32 levels
  FIT_WATCH = 1024,    // items between looks at the clock
};

/* The sets whose union is taken while an item lives, each with the first
 * interval that ends above where we look. */
typedef struct fit_query {
  const tni_fit_span *at[FIT_SETS_MAX], *end[FIT_SETS_MAX];
  uint32_t count;
} fit_query;

bool
tni_fit_init(tni_fit *fit, const tni_plan_model *model, tni_plan_memory *memory)
{
  uint32_t leaves = 1;
  while (leaves < model->sections)
    leaves *= 2;
  *fit = (tni_fit){
      .model = model, .memory = memory, .leaves = leaves, .ceiling = INT64_MAX};
  fit->any = tni_plan_take(memory, 2 * (size_t)leaves, sizeof *fit->any);
  fit->cover = tni_plan_take(memory, 2 * (size_t)leaves, sizeof *fit->cover);
  return fit->any && fit->cover;
}

/* The index of the first interval that ends at n or above. */
static uint32_t
fit_seek(const tni_fit_set *set, int64_t n)
{
  uint32_t low = 0, high = set->count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (set->span[middle].upper < n)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool
fit_make_room(tni_fit *fit, tni_fit_set *set)
{
  if (set->count < set->room)
    return true;
  const uint32_t room = set->room ? 2 * set->room : 2;
  tni_fit_span *const span =
      tni_plan_take_dirty(fit->memory, room, sizeof *span);
  if (!span)
    return false;
  if (set->count)
    memcpy(span, set->span, set->count * sizeof *span);
  set->span = span;
  set->room = room;
  return true;
}

/* Add [lower, upper) to a set.  [fit.sets] */
static bool
fit_add(tni_fit *fit, tni_fit_set *set, int64_t lower, int64_t upper)
{
  const uint32_t at = fit_seek(set, lower);
  uint32_t end = at;
  while (end < set->count && set->span[end].lower <= upper) {
    lower = set->span[end].lower < lower ? set->span[end].lower : lower;
    upper = set->span[end].upper > upper ? set->span[end].upper : upper;
    end++;
  }
  if (end == at && !fit_make_room(fit, set))
    return false;
  if (end != at + 1) {
    memmove(set->span + at + 1, set->span + end,
            (set->count - end) * sizeof *set->span);
    set->count = set->count - (end - at) + 1;
  }
  set->span[at] = (tni_fit_span){lower, upper};
  return true;
}

/* Put one piece: into cover of the nodes that make up its span, and into any
 * of all nodes on the paths to its first and last section, which are those
 * above the covered ones (and a few below, which does no harm). */
static bool
fit_put_piece(tni_fit *fit, const tni_plan_piece *piece, int64_t offset)
{
  offset += piece->base;
  const int64_t upper = offset + piece->size;
  uint32_t a = piece->s0 + fit->leaves, b = piece->s1 - 1 + fit->leaves;
  for (uint32_t left = a, right = b + 1; left < right; left /= 2, right /= 2) {
    if ((left & 1) && !fit_add(fit, &fit->cover[left++], offset, upper))
      return false;
    if ((right & 1) && !fit_add(fit, &fit->cover[--right], offset, upper))
      return false;
  }
  for (; a; a /= 2, b /= 2)
    if (!fit_add(fit, &fit->any[a], offset, upper) ||
        (a != b && !fit_add(fit, &fit->any[b], offset, upper)))
      return false;
  return true;
}

bool
tni_fit_put(tni_fit *fit, uint32_t item, int64_t offset)
{
  const tni_plan_model *const m = fit->model;
  for (uint32_t p = m->first[item]; p < m->first[item + 1]; p++)
    if (!fit_put_piece(fit, &m->piece[p], offset))
      return false;
  return true;
}

static void
fit_query_add(fit_query *q, const tni_fit_set *set)
{
  if (set->count == 0)
    return;
  TN_CHECK(q->count < FIT_SETS_MAX, "fit.sets");
  q->at[q->count] = set->span;
  q->end[q->count++] = set->span + set->count;
}

/* Everything that is taken at some time in the span of the piece: any of the
 * nodes that make it up, cover of those and of all above. */
static void
fit_query_init(fit_query *q, const tni_fit *fit, const tni_plan_piece *piece)
{
  uint32_t a = piece->s0 + fit->leaves, b = piece->s1 - 1 + fit->leaves;
  q->count = 0;
  for (uint32_t left = a, right = b + 1; left < right; left /= 2, right /= 2) {
    if (left & 1) {
      fit_query_add(q, &fit->any[left]);
      fit_query_add(q, &fit->cover[left++]);
    }
    if (right & 1) {
      fit_query_add(q, &fit->any[--right]);
      fit_query_add(q, &fit->cover[right]);
    }
  }
  for (a /= 2, b /= 2; a; a /= 2, b /= 2) {
    fit_query_add(q, &fit->cover[a]);
    if (a != b)
      fit_query_add(q, &fit->cover[b]);
  }
}

/* The first interval of [at, end) that ends above n, by doubling steps. */
static const tni_fit_span *
fit_skip(const tni_fit_span *at, const tni_fit_span *end, int64_t n)
{
  ptrdiff_t step = 1;
  while (end - at > step && at[step - 1].upper <= n) {
    at += step;
    step *= 2;
  }
  const tni_fit_span *high = end - at > step ? at + step : end;
  while (at < high) {
    const tni_fit_span *const middle = at + (high - at) / 2;
    if (middle->upper <= n)
      at = middle + 1;
    else
      high = middle;
  }
  return at;
}

/* The lowest aligned offset from `from` on where the piece's bytes are free;
 * *next receives where the hole ends, less the piece's base. */
static int64_t
fit_lowest(fit_query *q, int64_t from, const tni_plan_piece *piece,
           int64_t align, int64_t *next)
{
  const int64_t base = piece->base, size = piece->size;
  int64_t offset = tni_plan_round_up(from, align);
  *next = INT64_MAX;
  for (uint32_t i = 0, still = 0; still < q->count && offset <= TN_PLAN_MAX;
       i++, still++) {
    if (i == q->count)
      i = 0;
    const tni_fit_span *const at = fit_skip(q->at[i], q->end[i], offset + base);
    q->at[i] = at;
    if (at == q->end[i])
      continue;
    if (at->lower - base - offset < size) {
      offset = tni_plan_round_up(at->upper - base, align);
      *next = INT64_MAX;
      still = UINT32_MAX;  // 0 after the step: look at every set again
    } else if (at->lower - base < *next) {
      *next = at->lower - base;
    }
  }
  return offset;
}

static int64_t
fit_best(fit_query *q, const tni_plan_piece *piece, int64_t align)
{
  int64_t best = -1, best_rest = INT64_MAX, next;
  for (int64_t from = 0;; from = next) {
    const int64_t offset = fit_lowest(q, from, piece, align, &next);
    const int64_t rest = next - offset - piece->size;
    if (best < 0 || (next != INT64_MAX && rest < best_rest)) {
      best = offset;
      best_rest = rest;
    }
    if (next == INT64_MAX || rest == 0)
      return best;
  }
}

int64_t
tni_fit_find(const tni_fit *fit, uint32_t item, tni_fit_rule rule)
{
  const tni_plan_model *const m = fit->model;
  const int64_t align = m->align[item];
  const uint32_t first = m->first[item], count = m->first[item + 1] - first;
  fit_query q;
  int64_t offset = 0, next;
  if (rule == TNI_FIT_BEST && count == 1) {
    fit_query_init(&q, fit, &m->piece[first]);
    offset = fit_best(&q, &m->piece[first], align);
  } else {
    for (uint32_t p = 0, still = 0; still < count; p = (p + 1) % count) {
      fit_query_init(&q, fit, &m->piece[first + p]);
      const int64_t here =
          fit_lowest(&q, offset, &m->piece[first + p], align, &next);
      still = here == offset ? still + 1 : 1;
      offset = here;
    }
  }
  return offset > fit->ceiling - m->size[item] ? -1 : offset;
}

bool
tni_fit_is_free(const tni_fit *fit, uint32_t item, int64_t offset)
{
  const tni_plan_model *const m = fit->model;
  for (uint32_t p = m->first[item]; p < m->first[item + 1]; p++) {
    fit_query q;
    int64_t next;
    fit_query_init(&q, fit, &m->piece[p]);
    if (fit_lowest(&q, offset, &m->piece[p], 1, &next) != offset)
      return false;
  }
  return offset <= fit->ceiling - m->size[item];
}

/* Place one item; false when it has no place (*offset is -1 then) or memory
 * ends (*offset is not). */
static bool
fit_place(tni_fit *fit, uint32_t item, tni_fit_rule rule, int64_t *offset)
{
  const int64_t fixed = fit->model->fixed[item];
  *offset = fixed == TN_PLAN_FREE               ? tni_fit_find(fit, item, rule)
            : tni_fit_is_free(fit, item, fixed) ? fixed
                                                : -1;
  return *offset >= 0 && tni_fit_put(fit, item, *offset);
}

/* Whether it is time to look at the clock, and late; not before there is a
 * plan. */
static bool
fit_is_late(uint32_t i, tni_solver *s)
{
  return s->height >= 0 && i % FIT_WATCH == FIT_WATCH - 1 &&
         tni_solver_is_late(s);
}

bool
tni_fit_all(tni_solver *s, const uint32_t *order, tni_fit_rule rule,
            int64_t ceiling, int64_t *offset, int64_t *height)
{
  const tni_plan_model *const m = s->model;
  tni_plan_memory *const memory = s->memory;
  const tni_plan_mark mark = tni_plan_mark_set(memory);
  tni_fit fit;
  bool ok = tni_fit_init(&fit, m, memory);
  fit.ceiling = ceiling;
  *height = 0;
  for (uint32_t k = 0; ok && *height >= 0 && k < 2 * m->count; k++) {
    const bool is_fixed = k < m->count;
    const uint32_t item = order[is_fixed ? k : k - m->count];
    if ((m->fixed[item] != TN_PLAN_FREE) != is_fixed)
      continue;
    ok = fit_place(&fit, item, rule, &offset[item]);
    const int64_t top = offset[item] + m->size[item];
    if (offset[item] < 0 || fit_is_late(k, s)) {
      *height = -1;
      ok = true;
    } else if (top > *height) {
      *height = top;
    }
  }
  tni_plan_mark_reset(memory, mark);
  return ok;
}
