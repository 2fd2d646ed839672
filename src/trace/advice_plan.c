/* advice_plan.c -- from the lives of sites to plans; see advice_plan.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/advice_plan.h"

#include <stdlib.h>
#include <string.h>

#include "trace/report.h"

enum {
  PLAN_SITES = 16,         // that are looked at
  PLAN_FEW = 64,           // blocks: fewer are not worth a word
  PLAN_STACK_SIZE = 4096,  // bytes of one block on the stack
  PLAN_POOL_SIZE = 4096,
  PLAN_REGION_BLOCKS = 8,  // that die together, at least
  PLAN_HOLDERS = 3,
};

static void
plan_add(tni_advice_plans *plans, tni_plan plan)
{
  if (plans->count < TNI_REPLAY_PLANS)
    plans->items[plans->count++] = plan;
}

bool
tni_advice_is_plain(const tni_site *s)
{
  return s->left_blocks + s->suppressed_blocks == 0 && s->resizes == 0 &&
         s->escapes[TNI_ESCAPE_OTHER] == 0;
}

/* A call of main is the whole run: what dies before it ends dies for another
 * reason. */
static bool
plan_is_main(const tni_analysis *a, uint32_t function)
{
  const char *const name = a->names.functions[function].name;
  return name && strcmp(name, "main") == 0;
}

static void
plan_scopes(tni_advice_plans *plans, const tni_analysis *a, uint32_t index)
{
  const tni_site *const s = &a->sites[index];
  if (!tni_advice_is_plain(s))
    return;
  if (s->escapes[TNI_ESCAPE_NONE] == s->blocks && s->function &&
      s->most_size <= PLAN_STACK_SIZE)
    plan_add(plans, (tni_plan){.site = index,
                               .way = TNI_WAY_STACK,
                               .function = s->function,
                               .size = s->most_size});
  if (s->escapes[TNI_ESCAPE_THREAD] > 0)
    return;
  /* The functions that hold most, and those furthest out first. */
  bool is_tried[TNI_HOLDERS] = {false};
  for (int n = 0; n < PLAN_HOLDERS; n++) {
    const tni_holding *best = NULL;
    for (uint32_t i = 0; i < s->holder_count; i++) {
      const tni_holding *const h = &s->holders[i];
      if (!is_tried[i] && h->function && !plan_is_main(a, h->function) &&
          (best == NULL || h->level > best->level ||
           (h->level == best->level && h->blocks > best->blocks)))
        best = h;
    }
    if (best == NULL)
      return;
    is_tried[best - s->holders] = true;
    plan_add(plans, (tni_plan){.site = index,
                               .way = TNI_WAY_SCRATCH,
                               .function = best->function});
    plan_add(plans, (tni_plan){.site = index,
                               .way = TNI_WAY_TURN,
                               .function = best->function});
  }
}

bool
tni_advice_is_fifo(const tni_site *s)
{
  return s->resizes == 0 && s->escapes[TNI_ESCAPE_OTHER] == 0 && s->frees > 0 &&
         s->oldest_first == s->frees && s->newest_first * 2 < s->frees;
}

uint64_t
tni_advice_ring_size(const tni_site *s)
{
  return s->most_bytes + (s->most_blocks + 1) * TN_ALIGN;
}

static void
plan_others(tni_advice_plans *plans, const tni_site *s, uint32_t index)
{
  const bool is_single =
      (s->threads & (s->threads - 1)) == 0 && s->escapes[TNI_ESCAPE_OTHER] == 0;
  if (tni_advice_is_plain(s) && is_single && s->generations > 0 &&
      s->blocks / s->generations >= PLAN_REGION_BLOCKS &&
      (s->generations >= TNI_ADVICE_PATTERN ||
       s->orders[TNI_ORDER_TOGETHER] * 10 >= s->blocks * 9))
    plan_add(plans, (tni_plan){.site = index, .way = TNI_WAY_REGION});
  const uint64_t mean = s->blocks ? s->bytes / s->blocks : 0;
  if (s->resizes == 0 && is_single && s->frees > 0 && s->most_size > 0 &&
      s->most_size <= PLAN_POOL_SIZE && s->most_size <= mean + mean / 4)
    plan_add(
        plans,
        (tni_plan){.site = index, .way = TNI_WAY_POOL, .size = s->most_size});
  if (is_single && tni_advice_is_fifo(s))
    plan_add(plans, (tni_plan){.site = index,
                               .way = TNI_WAY_RING,
                               .size = tni_advice_ring_size(s)});
}

/* Room for nine in ten of the sizes that blocks grew to. */
static void
plan_grow(tni_advice_plans *plans, const tni_site *s, uint32_t index)
{
  uint64_t grown = 0, sum = 0;
  for (uint32_t i = 0; i < TNI_SIZES; i++)
    grown += s->final_sizes[i];
  if (s->resizes < PLAN_FEW || grown * 2 < s->blocks)
    return;
  for (uint32_t i = 0; i < TNI_SIZES; i++) {
    sum += s->final_sizes[i];
    if (sum * 10 < grown * 9)
      continue;
    if (i <= 20)
      plan_add(plans, (tni_plan){.site = index,
                                 .way = TNI_WAY_GROW,
                                 .size = (uint64_t)1 << i});
    return;
  }
}

/* Pages that its blocks alone keep from the system, at the worst instant, or
 * pages that it fills: then other blocks may lie among them. */
static void
plan_own(tni_advice_plans *plans, const tni_site *s, uint32_t index)
{
  if (s->pages >= TNI_ADVICE_PAGES ||
      s->most_bytes >= (uint64_t)TNI_ADVICE_PAGES * TNI_ADVICE_PAGE)
    plan_add(plans, (tni_plan){.site = index, .way = TNI_WAY_OWN});
}

static uint64_t
plan_weight(const tni_site *s)
{
  return s->blocks + s->resizes;
}

static bool
plan_is_heavy(const tni_analysis *a, const tni_site *s)
{
  const uint64_t weight = plan_weight(s);
  return weight >= PLAN_FEW &&
         weight * 200 >= a->totals.allocs + a->totals.resizes;
}

static void
plan_look_at(tni_advice_plans *plans, const tni_analysis *a, uint32_t index)
{
  const tni_site *const s = &a->sites[index];
  plan_scopes(plans, a, index);
  plan_others(plans, s, index);
  plan_grow(plans, s, index);
  plan_own(plans, s, index);
}

/* Sites that allocate much, and those whose few blocks keep many pages. */
size_t
tni_advice_plan(tni_advice_plans *plans, tni_analysis *a)
{
  size_t count, looked_at = 0;
  uint32_t *const sites = tni_report_sort(a, plan_weight, &count);
  for (size_t i = 0; i < count && looked_at < PLAN_SITES; i++)
    if (sites[i] != 0 && (plan_is_heavy(a, &a->sites[sites[i]]) ||
                          a->sites[sites[i]].pages >= TNI_ADVICE_PAGES)) {
      plan_look_at(plans, a, sites[i]);
      looked_at++;
    }
  free(sites);
  return looked_at;
}
