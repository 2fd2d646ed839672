/* units.c -- the exact search's problem: 32-bit units (see search.h)
 * SPDX-License-Identifier: MIT
 */
#include "plan/search.h"

static int64_t
units_gcd(int64_t a, int64_t b)
{
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static int64_t
units_round_up(int64_t n, int64_t grain)
{
  return (n + grain - 1) / grain * grain;
}

enum { UNITS_MAX = 1 << 28 };  // so that sums of a few stay in 32 bits

/* grain divides every offset there can be; unit divides every offset that a
 * canonical plan can have. */
static void
units_find(const tni_plan_model *m, int64_t *grain, int64_t *unit)
{
  int64_t g = 0, u = 0;
  for (uint32_t i = 0; i < m->count; i++)
    g = units_gcd(g, m->fixed[i] == TN_PLAN_FREE ? m->align[i] : m->fixed[i]);
  *grain = g ? g : 1;
  for (uint32_t k = 0; k < m->first[m->count]; k++)
    u = units_gcd(u, units_round_up(m->piece[k].size, *grain));
  for (uint32_t i = 0; i < m->count; i++)
    if (m->fixed[i] != TN_PLAN_FREE)
      u = units_gcd(u, m->fixed[i]);
    else if (m->align[i] != 1)
      u = units_gcd(u, m->align[i]);
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
          m->size[j] == m->size[i] && m->align[j] == m->align[i] &&
          m->fixed[j] == TN_PLAN_FREE && m->first[j + 1] - m->first[j] == 1)
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
    a->size[i] = (int32_t)(units_round_up(m->size[i], p->grain) / unit);
  }
  for (uint32_t k = 0; k < m->first[m->count]; k++)
    a->piece[k] = (tni_search_piece){
        m->piece[k].s0, m->piece[k].s1,
        (int32_t)(units_round_up(m->piece[k].size, p->grain) / unit)};
  units_find_twins(m, a->twin);
  return m->load[m->peak] / unit + m->count <= UNITS_MAX;
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
  if (n == 0 || n > TNI_SEARCH_ITEMS_MAX || pieces > 4 * n)
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
  return units_convert(m, p, &a);
}

void
tni_search_limit(tni_search_problem *p, int64_t capacity)
{
  const tni_plan_model *const m = p->model;
  const int64_t most = (int64_t)UNITS_MAX * p->unit;
  p->capacity =
      p->unit > TN_PLAN_MAX / UNITS_MAX || capacity < most ? capacity : most;
  p->ceiling = (int32_t)(units_round_up(p->capacity, p->grain) / p->unit);
  for (uint32_t i = 0; i < p->count; i++) {
    const int64_t room = p->capacity - m->size[i];
    const int64_t latest = room < 0 ? -1 : room / p->unit;
    p->latest[i] = !p->is_fixed[i] || latest < p->release[i] ? (int32_t)latest
                                                             : p->release[i];
  }
}
