/* advice.c -- from sites to plans to advice; see advice.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/advice.h"

#include <stdlib.h>
#include <string.h>

#include "trace/report.h"

enum {
  ADVICE_SITES = 16,           // that are looked at
  ADVICE_FEW = 64,             // blocks: fewer are not worth a word
  ADVICE_STACK_SIZE = 4096,    // bytes of one block on the stack
  ADVICE_STACK_BYTES = 16384,  // of all in one call
  ADVICE_STACK_BLOCKS = 4,
  ADVICE_POOL_SIZE = 4096,
  ADVICE_REGION_BLOCKS = 8,  // that die together, at least
  ADVICE_HOLDERS = 3,
  ADVICE_LEAST_NS = 5000000,  // that can be compared
  ADVICE_PATTERN = 4,         // times that something happened alike
};

/* ---- Plans that the lives of a site allow ----------------------------------- */

typedef struct advice_plans {
  tni_plan items[TNI_REPLAY_PLANS];
  size_t count;
} advice_plans;

static void
advice_add(advice_plans *plans, tni_plan plan)
{
  if (plans->count < TNI_REPLAY_PLANS)
    plans->items[plans->count++] = plan;
}

/* All of the site's blocks were freed, by the thread that had allocated them,
 * and none was ever resized. */
static bool
advice_is_plain(const tni_site *s)
{
  return s->left_blocks == 0 && s->resizes == 0 &&
         s->escapes[TNI_ESCAPE_OTHER] == 0;
}

/* A call of main is the whole run: what dies before it ends dies for another
 * reason. */
static bool
advice_is_main(const tni_analysis *a, uint32_t function)
{
  const char *const name = a->names.functions[function].name;
  return name && strcmp(name, "main") == 0;
}

static void
advice_scopes(advice_plans *plans, const tni_analysis *a, uint32_t index)
{
  const tni_site *const s = &a->sites[index];
  if (!advice_is_plain(s))
    return;
  if (s->escapes[TNI_ESCAPE_NONE] == s->blocks && s->function &&
      s->most_size <= ADVICE_STACK_SIZE)
    advice_add(plans, (tni_plan){.site = index,
                                 .way = TNI_WAY_STACK,
                                 .function = s->function});
  if (s->escapes[TNI_ESCAPE_THREAD] > 0)
    return;
  /* The functions that hold most, and those furthest out first. */
  bool is_tried[TNI_HOLDERS] = {false};
  for (int n = 0; n < ADVICE_HOLDERS; n++) {
    const tni_holding *best = NULL;
    for (uint32_t i = 0; i < s->holder_count; i++) {
      const tni_holding *const h = &s->holders[i];
      if (!is_tried[i] && h->function && !advice_is_main(a, h->function) &&
          (best == NULL || h->level > best->level ||
           (h->level == best->level && h->blocks > best->blocks)))
        best = h;
    }
    if (best == NULL)
      return;
    is_tried[best - s->holders] = true;
    advice_add(plans, (tni_plan){.site = index,
                                 .way = TNI_WAY_SCRATCH,
                                 .function = best->function});
  }
}

/* Each block that went was the oldest, and it was not always the only one. */
static bool
advice_is_fifo(const tni_site *s)
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
advice_others(advice_plans *plans, const tni_site *s, uint32_t index)
{
  const bool is_single =
      (s->threads & (s->threads - 1)) == 0 && s->escapes[TNI_ESCAPE_OTHER] == 0;
  if (advice_is_plain(s) && is_single && s->generations > 0 &&
      s->blocks / s->generations >= ADVICE_REGION_BLOCKS &&
      (s->generations >= ADVICE_PATTERN ||
       s->orders[TNI_ORDER_TOGETHER] * 10 >= s->blocks * 9))
    advice_add(plans, (tni_plan){.site = index, .way = TNI_WAY_REGION});
  const uint64_t mean = s->blocks ? s->bytes / s->blocks : 0;
  if (s->resizes == 0 && is_single && s->frees > 0 && s->most_size > 0 &&
      s->most_size <= ADVICE_POOL_SIZE && s->most_size <= mean + mean / 4)
    advice_add(
        plans,
        (tni_plan){.site = index, .way = TNI_WAY_POOL, .size = s->most_size});
  if (is_single && advice_is_fifo(s))
    advice_add(plans, (tni_plan){.site = index,
                                 .way = TNI_WAY_RING,
                                 .size = tni_advice_ring_size(s)});
}

/* Room for nine in ten of the sizes that blocks grew to. */
static void
advice_grow(advice_plans *plans, const tni_site *s, uint32_t index)
{
  uint64_t grown = 0, sum = 0;
  for (uint32_t i = 0; i < TNI_SIZES; i++)
    grown += s->final_sizes[i];
  if (s->resizes < ADVICE_FEW || grown * 2 < s->blocks)
    return;
  for (uint32_t i = 0; i < TNI_SIZES; i++) {
    sum += s->final_sizes[i];
    if (sum * 10 < grown * 9)
      continue;
    if (i <= 20)
      advice_add(plans, (tni_plan){.site = index,
                                   .way = TNI_WAY_GROW,
                                   .size = (uint64_t)1 << i});
    return;
  }
}

static uint64_t
advice_weight(const tni_site *s)
{
  return s->blocks + s->resizes;
}

static void
advice_plan(advice_plans *plans, tni_analysis *a, tni_advices *advices)
{
  size_t count;
  uint32_t *const sites = tni_report_sort(a, advice_weight, &count);
  for (size_t i = 0; i < count && advices->looked_at < ADVICE_SITES; i++) {
    const tni_site *const s = &a->sites[sites[i]];
    const uint64_t weight = advice_weight(s);
    if (sites[i] == 0)
      continue;
    if (weight < ADVICE_FEW ||
        weight * 200 < a->totals.allocs + a->totals.resizes)
      break;
    advices->looked_at++;
    advice_scopes(plans, a, sites[i]);
    advice_others(plans, s, sites[i]);
    advice_grow(plans, s, sites[i]);
  }
  free(sites);
}

/* ---- What the replay says --------------------------------------------------- */

static bool
advice_is_possible(const tni_plan *plan)
{
  if (plan->early > 0 || plan->blocks == 0)
    return false;
  switch (plan->way) {
  case TNI_WAY_STACK:
    return plan->scoped == plan->blocks &&
           plan->most_blocks <= ADVICE_STACK_BLOCKS &&
           plan->most_bytes <= ADVICE_STACK_BYTES;
  /* A function that is called once or twice shows no pattern. */
  case TNI_WAY_SCRATCH:
    return plan->scoped * 2 >= plan->blocks && plan->scopes >= ADVICE_PATTERN;
  default: return true;
  }
}

/* [advice.gains]: at least a hundredth of the allocator's instructions or of
 * the peak, neither of them for the other, and not clearly slower. */
static bool
advice_gains(const tni_replay_result *before, const tni_replay_result *after)
{
  if (!after->is_good || after->instructions >= before->instructions)
    return false;
  if (after->peak_bytes > before->peak_bytes + before->peak_bytes / 100 + 4096)
    return false;
  /* Debug builds of the disciplines are slow on purpose. */
  if (TN_DEBUG == 0 && before->ns > ADVICE_LEAST_NS &&
      after->ns > before->ns + before->ns / 4)
    return false;
  const uint64_t saved = before->instructions - after->instructions;
  return saved * 100 >= before->instructions ||
         (after->peak_bytes + before->peak_bytes / 100 <= before->peak_bytes);
}

static double
advice_score(const tni_replay_result *before, const tni_replay_result *after)
{
  const double saved =
      (double)before->instructions - (double)after->instructions;
  const double lower = (double)before->peak_bytes - (double)after->peak_bytes;
  return saved / (double)(before->instructions + 1) +
         lower / (double)(before->peak_bytes + 1);
}

/* One advice a site: the one that gains most, and the simpler one of two that
 * gain about the same. */
static void
advice_offer(tni_advices *advices, const tni_advice *advice)
{
  for (size_t i = 0; i < advices->count; i++) {
    tni_advice *const other = &advices->items[i];
    if (other->plan.site != advice->plan.site)
      continue;
    const double was = advice_score(&advices->before, &other->result);
    const double is = advice_score(&advices->before, &advice->result);
    const bool is_simpler = advice->plan.way < other->plan.way;
    if (is_simpler ? is >= was - 0.005 : is > was + 0.005)
      *other = *advice;
    return;
  }
  advices->items = tni_store_grow(advices->items, &advices->room,
                                  advices->count + 1, sizeof *advices->items);
  advices->items[advices->count++] = *advice;
}

static void
advice_sort(tni_advices *advices)
{
  for (size_t i = 1; i < advices->count; i++)
    for (size_t j = i;
         j > 0 &&
         advice_score(&advices->before, &advices->items[j].result) >
             advice_score(&advices->before, &advices->items[j - 1].result);
         j--) {
      const tni_advice swap = advices->items[j];
      advices->items[j] = advices->items[j - 1];
      advices->items[j - 1] = swap;
    }
}

/* ---- A second run ------------------------------------------------------------ */

static bool
advice_is_same_place(const tni_place *a, const tni_place *b)
{
  const tni_symbol_frame *const f = tni_names_shown(a);
  const tni_symbol_frame *const g = tni_names_shown(b);
  return strcmp(f->function, g->function) == 0 && f->line == g->line &&
         a->offset == b->offset;
}

/* The same plan in the terms of another run; false: its site is not there. */
static bool
advice_translate(tni_analysis *a, tni_analysis *second, const tni_plan *plan,
                 tni_plan *to)
{
  const tni_place *const place =
      tni_names_place(&a->names, a->sites[plan->site].frame);
  *to = (tni_plan){.way = plan->way, .size = plan->size};
  for (uint32_t i = 1; i < second->site_count && to->site == 0; i++)
    if (advice_is_same_place(
            place, tni_names_place(&second->names, second->sites[i].frame)))
      to->site = i;
  const tni_names_function *const f = &a->names.functions[plan->function];
  for (uint32_t i = 1; i < second->names.count && plan->function; i++) {
    const tni_names_function *const g = &second->names.functions[i];
    if (f->start == g->start &&
        strcmp(tni_symbols_path(a->names.symbols, f->module),
               tni_symbols_path(second->names.symbols, g->module)) == 0)
      to->function = i;
  }
  return to->site != 0 && (plan->function == 0) == (to->function == 0);
}

static bool
advice_is_scoped(tni_way way)
{
  return way == TNI_WAY_STACK || way == TNI_WAY_SCRATCH;
}

/* Whether the second run allows what was allowed in the first. */
static bool
advice_is_allowed(const tni_analysis *second, const tni_plan *plan)
{
  const tni_site *const s = &second->sites[plan->site];
  if (plan->way == TNI_WAY_RING)
    return advice_is_fifo(s);
  return plan->early == 0 && advice_is_plain(s) &&
         (!advice_is_scoped(plan->way) || plan->scoped > 0) &&
         (plan->way != TNI_WAY_STACK ||
          (plan->most_blocks <= ADVICE_STACK_BLOCKS &&
           plan->most_bytes <= ADVICE_STACK_BYTES));
}

static void
advice_confirm(tni_advices *advices, tni_analysis *a, tni_analysis *second)
{
  tni_plan plans[TNI_REPLAY_PLANS];
  size_t of[TNI_REPLAY_PLANS], count = 0;
  for (size_t i = 0; i < advices->count && count < TNI_REPLAY_PLANS; i++)
    if (advices->items[i].proof == TNI_PROOF_NONE &&
        advice_translate(a, second, &advices->items[i].plan, &plans[count]))
      of[count++] = i;
  tni_replay replay;
  tni_replay_init(&replay, second, plans, count);
  for (size_t i = 0; i < count && i < replay.plan_count; i++)
    advices->items[of[i]].proof = advice_is_allowed(second, &replay.plans[i])
                                      ? TNI_PROOF_SECOND
                                      : TNI_PROOF_FAILED;
  tni_replay_fini(&replay);
  size_t kept = 0;
  for (size_t i = 0; i < advices->count; i++)
    if (advices->items[i].proof != TNI_PROOF_FAILED)
      advices->items[kept++] = advices->items[i];
  advices->count = kept;
}

/* ---- All --------------------------------------------------------------------- */

static tni_proof
advice_proof(tni_way way)
{
  return way == TNI_WAY_POOL || way == TNI_WAY_GROW ? TNI_PROOF_SAFE
                                                    : TNI_PROOF_NONE;
}

static uint64_t
advice_bit(const tni_replay *replay, const tni_plan *plan)
{
  for (size_t p = 0; p < replay->plan_count; p++)
    if (replay->plans[p].site == plan->site &&
        replay->plans[p].way == plan->way &&
        replay->plans[p].function == plan->function)
      return (uint64_t)1 << p;
  return 0;
}

void
tni_advices_init(tni_advices *advices, tni_analysis *a, tni_analysis *second)
{
  *advices = (tni_advices){0};
  advice_plans plans = {.count = 0};
  advice_plan(&plans, a, advices);
  if (plans.count == 0)
    return;
  tni_replay replay;
  tni_replay_init(&replay, a, plans.items, plans.count);
  advices->is_partial = replay.is_partial;
  advices->before = tni_replay_run(&replay, 0);
  advices->calls = advices->before.calls;
  for (size_t p = 0; p < replay.plan_count && advices->before.is_good; p++) {
    const tni_plan *const plan = &replay.plans[p];
    if (!advice_is_possible(plan))
      continue;
    const tni_advice advice = {*plan, tni_replay_run(&replay, (uint64_t)1 << p),
                               advice_proof(plan->way)};
    if (advice_gains(&advices->before, &advice.result))
      advice_offer(advices, &advice);
  }
  advice_sort(advices);
  if (second)
    advice_confirm(advices, a, second);
  uint64_t chosen = 0;
  for (size_t i = 0; i < advices->count; i++) {
    TN_CHECK(advices->items[i].plan.early == 0, "advice.early");
    chosen |= advice_bit(&replay, &advices->items[i].plan);
  }
  advices->together =
      chosen ? tni_replay_run(&replay, chosen) : advices->before;
  tni_replay_fini(&replay);
}

void
tni_advices_fini(tni_advices *advices)
{
  free(advices->items);
  *advices = (tni_advices){0};
}
