/* units.c -- the exact search's problem: 32-bit units (see search.h)
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"

enum {
  UNITS_MAX = 1 << 28,           // so that sums of a few stay in 32 bits
  UNITS_WINDOWED_MAX = 1 << 20,  // bytes: so that sums of arcs stay in 64
};

/* grain divides every offset there can be; unit divides every offset that a
 * canonical plan can have. */
static void
units_find(const tni_plan_model *m, int64_t *grain, int64_t *unit)
{
  int64_t g = 0, u = 0;
  for (uint32_t i = 0; i < m->count; i++)
    g = tni_plan_gcd(g,
                     m->fixed[i] == TN_PLAN_FREE ? m->align[i] : m->fixed[i]);
  *grain = g ? g : 1;
  for (uint32_t k = 0; k < m->first[m->count]; k++) {
    const int64_t base = m->piece[k].base;
    u = tni_plan_gcd(u, tni_plan_round_up(base + m->piece[k].size, *grain));
    if (base)
      u = tni_plan_gcd(u, *grain == 1 ? base : *grain);
  }
  for (uint32_t i = 0; i < m->count; i++)
    if (m->fixed[i] != TN_PLAN_FREE)
      u = tni_plan_gcd(u, m->fixed[i]);
    else if (m->align[i] != 1)
      u = tni_plan_gcd(u, m->align[i]);
  *unit = u ? u : 1;
}

/* Items alike in all but their index: the second waits for the first. */
static void
units_find_twins(const tni_plan_model *m, uint32_t *twin)
{
  for (uint32_t i = 0; i < m->count; i++) {
    twin[i] = TNI_PLAN_NONE;
    if (m->fixed[i] != TN_PLAN_FREE || m->first[i + 1] - m->first[i] != 1)
      continue;
    for (uint32_t j = i; j-- > 0 && twin[i] == TNI_PLAN_NONE;)
      if (m->s0[j] == m->s0[i] && m->s1[j] == m->s1[i] &&
          m->size[j] == m->size[i] &&
          m->piece[m->first[j]].base == m->piece[m->first[i]].base &&
          m->align[j] == m->align[i] && m->fixed[j] == TN_PLAN_FREE &&
          m->first[j + 1] - m->first[j] == 1)
        twin[i] = j;
  }
}

typedef struct units_arrays {
  int32_t *size, *align, *release;
  bool *is_fixed;
  uint32_t *twin;
  tni_search_piece *piece;
} units_arrays;

/* Convert; false when a number is too large for the search. */
static bool
units_convert(const tni_plan_model *m, const tni_search_problem *p,
              units_arrays *a)
{
  const int64_t unit = p->unit;
  if (p->is_windowed && unit > UNITS_WINDOWED_MAX)
    return false;
  for (uint32_t i = 0; i < m->count; i++) {
    const bool is_fixed = m->fixed[i] != TN_PLAN_FREE;
    const int64_t release = is_fixed ? m->fixed[i] / unit : 0;
    const int64_t align = is_fixed || m->align[i] == 1 ? 1 : m->align[i] / unit;
    if (release > UNITS_MAX || align > UNITS_MAX ||
        m->size[i] / unit > UNITS_MAX)
      return false;
    a->is_fixed[i] = is_fixed;
    a->release[i] = (int32_t)release;
    a->align[i] = (int32_t)align;
    a->size[i] = (int32_t)(tni_plan_round_up(m->size[i], p->grain) / unit);
  }
  for (uint32_t k = 0; k < m->first[m->count]; k++) {
    const tni_plan_piece *const q = &m->piece[k];
    const int64_t top = tni_plan_round_up(q->base + q->size, p->grain);
    const int32_t base = (int32_t)(q->base / unit);
    a->piece[k] =
        (tni_search_piece){q->s0, q->s1, (int32_t)(top / unit) - base, base};
  }
  units_find_twins(m, a->twin);
  return m->load[m->peak] / unit + m->count <= UNITS_MAX;
}

/* Whether two items meet at several intervals of offsets, or not when their
 * offsets are equal, or tni_search_above is rough: bases that are rounded, or
 * of items of one piece. */
static bool
units_is_windowed(const tni_plan_model *m, int64_t grain)
{
  if (!m->has_windows)
    return false;
  for (uint32_t k = 0; k < m->first[m->count]; k++)
    if (m->piece[k].base % grain)
      return true;
  for (uint32_t i = 0; i < m->count; i++) {
    const uint32_t first = m->first[i];
    if (m->first[i + 1] - first == 1 && m->piece[first].base)
      return true;
    for (uint32_t j = 0; j < i; j++) {
      int64_t low, high;
      const int64_t above = tni_plan_above(m, i, j);
      if (above != INT64_MIN &&
          (!tni_plan_meets(m, i, j, 0, &low, &high) || high != above ||
           low != -tni_plan_above(m, j, i)))
        return true;
    }
  }
  return false;
}

bool
tni_search_is_complete(const tni_search_problem *p, unsigned order)
{
  return !p->is_windowed || order == TNI_SEARCH_ENGINES - 1;
}

bool
tni_search_init(tni_search_problem *p, const tni_plan_model *m,
                tni_plan_memory *memory)
{
  const size_t n = m->count, pieces = m->first[n];
  *p = (tni_search_problem){.model = m,
                            .count = m->count,
                            .sections = m->sections,
                            .s0 = m->s0,
                            .s1 = m->s1,
                            .first = m->first};
  if (n == 0 || n > TNI_SEARCH_ITEMS_MAX ||
      pieces > 4 * (size_t)TNI_SEARCH_ITEMS_MAX)
    return false;
  units_arrays a;
  p->size = a.size = tni_plan_take(memory, n, sizeof *a.size);
  p->align = a.align = tni_plan_take(memory, n, sizeof *a.align);
  p->release = a.release = tni_plan_take(memory, n, sizeof *a.release);
  p->is_fixed = a.is_fixed = tni_plan_take(memory, n, sizeof *a.is_fixed);
  p->twin = a.twin = tni_plan_take(memory, n, sizeof *a.twin);
  p->piece = a.piece = tni_plan_take(memory, pieces, sizeof *a.piece);
  p->latest = tni_plan_take(memory, n, sizeof *p->latest);
  if (!a.size || !a.align || !a.release || !a.is_fixed || !a.twin || !a.piece ||
      !p->latest)
    return false;
  units_find(m, &p->grain, &p->unit);
  p->is_windowed = units_is_windowed(m, p->grain);
  return units_convert(m, p, &a);
}

int64_t
tni_search_next(const tni_search_problem *p)
{
  const tni_plan_model *const m = p->model;
  int64_t next = INT64_MAX;
  for (uint32_t i = 0; i < p->count; i++) {
    /* A fixed item was never above the capacity; offsets are whole units. */
    const int64_t over = p->capacity + 1 - m->size[i];
    const int64_t top =
        (over > 0 ? tni_plan_round_up(over, p->unit) : 0) + m->size[i];
    if (!p->is_fixed[i] && top < next)
      next = top;
  }
  return next == INT64_MAX ? p->capacity + 1 : next;
}

void
tni_search_limit(tni_search_problem *p, int64_t capacity)
{
  const tni_plan_model *const m = p->model;
  const int64_t most = (int64_t)UNITS_MAX * p->unit;
  p->capacity =
      p->unit > TN_PLAN_MAX / UNITS_MAX || capacity < most ? capacity : most;
  p->ceiling = (int32_t)(tni_plan_round_up(p->capacity, p->grain) / p->unit);
  for (uint32_t i = 0; i < p->count; i++) {
    const int64_t room = p->capacity - m->size[i];
    const int64_t latest = room < 0 ? -1 : room / p->unit;
    p->latest[i] = !p->is_fixed[i] || latest < p->release[i] ? (int32_t)latest
                                                             : p->release[i];
  }
}
