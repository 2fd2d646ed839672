/* rank.c -- the orders in which engines prefer items (see search.h)
 *
 * Letters as in MiniMalloc: T largest total of its sections, W lifetime, A
 * area, Z size; all descending.  T falls during the search and is looked at
 * again in every part; the others are ranked once.  Ties end in the sections,
 * the same however the rows are ordered.
 * SPDX-License-Identifier: MIT
 */
#include "plan/engine.h"

/* The keys of each order after a leading T, most important first. */
static const struct {
  bool by_total;
  char keys[3];
} rank_orders[TNI_SEARCH_ENGINES] = {
    {true, "WA"},
    {true, "AW"},
    {false, "WA"},
};

/* Size times lifetime, both cut to 31 leading bits of the largest. */
static uint64_t
rank_area(const tni_plan_model *m, uint32_t i, unsigned size_cut,
          unsigned width_cut)
{
  return ((uint64_t)m->size[i] >> size_cut) * (m->width[i] >> width_cut);
}

static unsigned
rank_cut(uint64_t largest)
{
  unsigned cut = 0;
  while (largest >> cut >= (uint64_t)1 << 31)
    cut++;
  return cut;
}

/* The power of two that a size is in, so many to a class, largest first. */
static uint64_t
rank_class(int64_t size, char digit)
{
  uint64_t log2 = 0;
  while (size >> 1 >> log2)
    log2++;
  return ~(log2 / (uint64_t)(digit - '0'));
}

/* Whether the item is alive when the load is largest. */
static bool
rank_is_peak(const tni_plan_model *m, uint32_t i)
{
  return m->s0[i] <= m->peak && m->peak < m->s1[i];
}

void
tni_plan_key(const tni_plan_model *m, char letter, uint64_t *key)
{
  const uint64_t later = (uint64_t)1 << 32;
  uint64_t size = 0, width = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    size |= (uint64_t)m->size[i];
    width |= m->width[i];
  }
  const unsigned size_cut = rank_cut(size), width_cut = rank_cut(width);
  for (uint32_t i = 0; i < m->count; i++)
    switch (letter) {
    case 'W': key[i] = ~m->width[i]; break;
    case 'A': key[i] = ~rank_area(m, i, size_cut, width_cut); break;
    case 'Z': key[i] = ~(uint64_t)m->size[i]; break;
    case 'P': key[i] = rank_is_peak(m, i) ? m->s1[i] : later + m->s0[i]; break;
    case 'Q': key[i] = rank_is_peak(m, i) ? ~m->width[i] : UINT64_MAX; break;
    case 'U': key[i] = m->s1[i]; break;
    case 'L': key[i] = m->s0[i]; break;
    default: key[i] = rank_class(m->size[i], letter); break;
    }
}

bool
tni_plan_key_total(const tni_plan_model *m, tni_plan_memory *memory,
                   uint64_t *key)
{
  const tni_plan_mark mark = tni_plan_mark_set(memory);
  size_t leaves = m->sections;
  int64_t *const most = tni_plan_take(memory, 2 * leaves, sizeof *most);
  if (!most)
    return false;
  for (size_t s = 0; s < leaves; s++)
    most[leaves + s] = m->load[s];
  for (size_t node = leaves; node-- > 1;)
    most[node] = most[2 * node] > most[2 * node + 1] ? most[2 * node]
                                                     : most[2 * node + 1];
  for (uint32_t i = 0; i < m->count; i++) {
    int64_t found = 0;
    size_t a = m->s0[i] + leaves, b = m->s1[i] + leaves;
    for (; a < b; a /= 2, b /= 2) {
      if (a & 1) {
        found = most[a] > found ? most[a] : found;
        a++;
      }
      if (b & 1) {
        b--;
        found = most[b] > found ? most[b] : found;
      }
    }
    key[i] = ~(uint64_t)found;
  }
  tni_plan_mark_reset(memory, mark);
  return true;
}

/* The logarithm in steps of 1/1024, a straight line between powers of two. */
static uint64_t
rank_log2(uint64_t n)
{
  uint64_t log2 = 63;
  while (!(n >> log2))
    log2--;
  return log2 << 10 | (n << (63 - log2) >> 53 & 1023);
}

uint64_t
tni_plan_random(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* Lifetime times a power of the size from 0 to 2, times a little chance. */
static void
rank_stir(tni_engine *e, uint64_t chance)
{
  const tni_plan_model *const m = e->problem->model;
  const uint64_t way = tni_plan_random(&chance);
  const uint64_t power = way & 3 ? (way >> 2) % 33 : 0;
  const uint64_t most = way & 0xc00 ? (uint64_t)16 << (way >> 12) % 12 : 1;
  for (uint32_t i = 0; i < m->count; i++)
    e->key[i] = ~(16 * rank_log2(m->width[i]) +
                  power * rank_log2((uint64_t)m->size[i]) +
                  tni_plan_random(&chance) % most);
}

void
tni_engine_rank(tni_engine *e, uint64_t chance)
{
  const tni_plan_model *const m = e->problem->model;
  const char *const keys = rank_orders[e->order].keys;
  const char all[] = {'U', 'L', 'Z', keys[1], keys[0]};
  uint32_t *const order = e->sorted;
  for (uint32_t i = 0; i < m->count; i++)
    order[i] = i;
  for (unsigned k = 0; k < sizeof all; k++) {
    tni_plan_key(m, all[k], e->key);
    tni_plan_sort(order, e->key, m->count, order + m->count);
  }
  if (chance) {
    rank_stir(e, chance);
    tni_plan_sort(order, e->key, m->count, order + m->count);
  }
  for (uint32_t i = 0; i < m->count; i++)
    e->rank[order[i]] = i;
}

/* The largest total of the item's sections. */
static int32_t
rank_total(const tni_engine *e, uint32_t item)
{
  int32_t most = 0;
  for (uint32_t s = e->problem->s0[item]; s < e->problem->s1[item]; s++)
    most = e->total[s] > most ? e->total[s] : most;
  return most;
}

void
tni_engine_sort(tni_engine *e, uint16_t *ids, uint32_t count)
{
  const bool by_total = rank_orders[e->order].by_total;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t falling =
        by_total ? (uint32_t)(INT32_MAX - rank_total(e, ids[i])) : 0;
    e->key[ids[i]] = (uint64_t)falling << 32 | e->rank[ids[i]];
    e->sorted[i] = ids[i];
  }
  tni_plan_sort(e->sorted, e->key, count, e->sorted + count);
  for (uint32_t i = 0; i < count; i++)
    ids[i] = (uint16_t)e->sorted[i];
}
