/* advice.c -- from plans to advice; see advice.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/advice.h"

#include <stdlib.h>
#include <string.h>

#include "trace/advice_plan.h"

enum {
  ADVICE_LEAST_NS = 5000000,  // that can be compared
  ADVICE_TIMES = 4,           // that something must be slow
};

/* ---- What the replay says --------------------------------------------------- */

static bool
advice_is_possible(const tni_plan *plan)
{
  if (plan->early > 0 || plan->blocks == 0)
    return false;
  switch (plan->way) {
  case TNI_WAY_STACK:
    return plan->scoped == plan->blocks && plan->most_live == 1;
  /* A function that is called once or twice shows no pattern. */
  case TNI_WAY_SCRATCH:
  case TNI_WAY_TURN:
    return plan->scoped * 2 >= plan->blocks &&
           plan->scopes >= TNI_ADVICE_PATTERN;
  default: return true;
  }
}

/* Pages that allocators could give back, on average over the run. */
static bool
advice_frees_pages(const tni_replay_result *before,
                   const tni_replay_result *after)
{
  return after->mean_pages + TNI_ADVICE_PAGES <= before->mean_pages &&
         after->mean_pages * 10 <= before->mean_pages * 9 &&
         after->most_pages <= before->most_pages + before->most_pages / 100;
}

/* The same for two heaps: what counts is how many pages blocks leave unused,
 * not how closely one of the heaps packs them. */
static bool
advice_frees_waste(const tni_replay_result *before,
                   const tni_replay_result *after)
{
  return after->waste_pages + TNI_ADVICE_PAGES <= before->waste_pages &&
         before->waste_pages - after->waste_pages >= before->mean_pages / 10;
}

static uint64_t
advice_most_peak(const tni_replay_result *before)
{
  return before->peak_bytes + before->peak_bytes / 100 + TNI_ADVICE_PAGE;
}

/* [advice.gains]: at least a hundredth of the allocator's instructions or of
 * the peak, or a tenth of the pages, none of them for another.  A heap of its
 * own is for pages only. */
static bool
advice_gains(tni_way way, const tni_advices *advices,
             const tni_replay_result *after)
{
  const tni_replay_result *const before = &advices->before;
  if (!after->is_good || after->instructions > before->instructions)
    return false;
  TN_CHECK(after->peak_bytes <= advice_most_peak(before), "advice.gains");
  /* [advice.time] */
  if (tni_machine_ns(advices->machine, after) >
      tni_machine_ns(advices->machine, before))
    return false;
  if (way == TNI_WAY_OWN)
    return advice_frees_pages(before, after) &&
           advice_frees_waste(before, after);
  if (advice_frees_pages(before, after))
    return true;
  const uint64_t saved = before->instructions - after->instructions;
  return saved * 100 >= before->instructions ||
         (saved > 0 &&
          after->peak_bytes + before->peak_bytes / 100 <= before->peak_bytes);
}

/* The share of the time that goes, and of the peak, and of the pages.  Without
 * a machine that is known, time is instructions. */
static double
advice_score(const tni_advices *advices, const tni_replay_result *after)
{
  const tni_replay_result *const before = &advices->before;
  const double was = tni_machine_ns(advices->machine, before);
  const double share = was > 0
                           ? 1 - tni_machine_ns(advices->machine, after) / was
                           : 1 - (double)after->instructions /
                                     (double)(before->instructions + 1);
  const double lower = (double)before->peak_bytes - (double)after->peak_bytes;
  const double pages = advice_frees_pages(before, after)
                           ? (double)(before->mean_pages - after->mean_pages)
                           : 0;
  return share + lower / (double)(before->peak_bytes + 1) +
         pages / (double)(before->mean_pages + 1);
}

bool
tni_advice_is_loose(const tni_plan *plan)
{
  return plan->way == TNI_WAY_SCRATCH &&
         plan->call_bytes > 2 * plan->most_bytes + TNI_ADVICE_PAGE;
}

/* Simpler ways first; a scratch arena of which nobody can say where it begins
 * comes after one that is emptied at a line. */
static unsigned
advice_effort(const tni_plan *plan)
{
  return 2 * (unsigned)plan->way + (tni_advice_is_loose(plan) ? 3 : 0);
}

/* Of two for one site the one that gains more, and the simpler one if they gain
 * about the same. */
static bool
advice_is_better(const tni_advices *advices, const tni_advice *advice,
                 const tni_advice *other)
{
  const double was = advice_score(advices, &other->result);
  const double is = advice_score(advices, &advice->result);
  return advice_effort(&advice->plan) < advice_effort(&other->plan)
             ? is >= was - 0.005
             : is > was + 0.005;
}

static void
advice_sort(tni_advices *advices)
{
  for (size_t i = 1; i < advices->count; i++)
    for (size_t j = i;
         j > 0 && advice_score(advices, &advices->items[j].result) >
                      advice_score(advices, &advices->items[j - 1].result);
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

/* Whether blocks have died at the same line in both runs; no line: no turn. */
static bool
advice_is_same_turn(tni_analysis *a, const tni_plan *plan, tni_analysis *second,
                    const tni_plan *there)
{
  return plan->turn == 0 ||
         (there->turn != 0 &&
          advice_is_same_place(tni_names_place(&a->names, plan->turn),
                               tni_names_place(&second->names, there->turn)));
}

/* Whether the second run allows what was allowed in the first. */
static bool
advice_is_allowed(const tni_analysis *second, const tni_plan *plan)
{
  const tni_site *const s = &second->sites[plan->site];
  if (plan->way == TNI_WAY_RING)
    return tni_advice_is_fifo(s);
  return plan->early == 0 && tni_advice_is_plain(s) &&
         (!tni_way_is_scoped(plan->way) || plan->scoped > 0) &&
         (plan->way != TNI_WAY_STACK || plan->most_live == 1);
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
    advices->items[of[i]].proof =
        advice_is_allowed(second, &replay.plans[i]) &&
                advice_is_same_turn(a, &advices->items[of[i]].plan, second,
                                    &replay.plans[i])
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
  return way == TNI_WAY_POOL || way == TNI_WAY_GROW || way == TNI_WAY_OWN
             ? TNI_PROOF_SAFE
             : TNI_PROOF_NONE;
}

/* The number of an advice's plan in the replay. */
static size_t
advice_number(const tni_replay *replay, const tni_plan *plan)
{
  size_t p = 0;
  while (replay->plans[p].site != plan->site ||
         replay->plans[p].way != plan->way ||
         replay->plans[p].function != plan->function)
    p++;
  return p;
}

typedef struct advice_candidates {
  tni_advice items[TNI_REPLAY_PLANS];
  size_t count;
} advice_candidates;

/* Replay a site's plans that the run allows; those that gain are candidates.
 * A heap of its own is only tried by itself. */
static void
advice_try(const tni_advices *advices, const tni_replay *replay, uint32_t site,
           bool is_own, advice_candidates *candidates)
{
  candidates->count = 0;
  for (size_t p = 0; p < replay->plan_count; p++) {
    const tni_plan *const plan = &replay->plans[p];
    bool chosen[TNI_REPLAY_PLANS] = {false};
    if (plan->site != site || (plan->way == TNI_WAY_OWN) != is_own ||
        !advice_is_possible(plan))
      continue;
    chosen[p] = true;
    const tni_replay_result result =
        tni_replay_count(replay, chosen, advice_most_peak(&advices->before));
    if (advice_gains(plan->way, advices, &result))
      candidates->items[candidates->count++] =
          (tni_advice){*plan, result, advice_proof(plan->way)};
  }
}

/* Clearly slower than the heap?  Debug builds of the disciplines are slow on
 * purpose.  A machine that is busy with something else makes any run slow, so
 * what seems slow is tried again, each time with the heap next to it. */
static bool
advice_is_slow(tni_advices *advices, const tni_replay *replay,
               tni_advice *advice)
{
  bool chosen[TNI_REPLAY_PLANS] = {false};
  chosen[advice_number(replay, &advice->plan)] = true;
  uint64_t was = advices->before.ns;
  for (int n = 0; n < ADVICE_TIMES; n++) {
    const tni_replay_result is = tni_replay_time(replay, chosen);
    if (!is.is_good)
      return true;
    if (n == 0 || is.ns < advice->result.ns)
      advice->result.ns = is.ns;
    if (TN_DEBUG || was <= ADVICE_LEAST_NS || is.ns <= was + was / 4)
      return false;
    was = tni_replay_time(replay, NULL).ns;
    if (was && was < advices->before.ns)
      advices->before.ns = was;
  }
  return true;
}

/* The best of the candidates that is not slow becomes an advice; false: none.
 * Time takes longer to find than all else, so only for the best. */
static bool
advice_settle(tni_advices *advices, const tni_replay *replay,
              advice_candidates *candidates)
{
  while (candidates->count > 0) {
    size_t best = 0;
    for (size_t i = 1; i < candidates->count; i++)
      if (advice_is_better(advices, &candidates->items[i],
                           &candidates->items[best]))
        best = i;
    tni_advice advice = candidates->items[best];
    if (!advice_is_slow(advices, replay, &advice)) {
      advices->items =
          tni_store_grow(advices->items, &advices->room, advices->count + 1,
                         sizeof *advices->items);
      advices->items[advices->count++] = advice;
      return true;
    }
    candidates->count--;
    memmove(&candidates->items[best], &candidates->items[best + 1],
            (candidates->count - best) * sizeof *candidates->items);
  }
  return false;
}

/* One advice a site.  A heap of its own is for sites that nothing else helps:
 * it is weighed by pages alone, and those by the time of one run. */
static void
advice_judge(tni_advices *advices, const tni_replay *replay)
{
  advice_candidates candidates;
  for (size_t p = 0; p < replay->plan_count; p++) {
    const uint32_t site = replay->plans[p].site;
    if (p > 0 && replay->plans[p - 1].site == site)
      continue;
    advice_try(advices, replay, site, false, &candidates);
    if (advice_settle(advices, replay, &candidates))
      continue;
    advice_try(advices, replay, site, true, &candidates);
    advice_settle(advices, replay, &candidates);
  }
}

/* Take away the advice that costs most at the peak; of equals, the last. */
static void
advice_drop(tni_advices *advices)
{
  size_t worst = 0;
  for (size_t i = 1; i < advices->count; i++)
    if (advices->items[i].result.peak_bytes >=
        advices->items[worst].result.peak_bytes)
      worst = i;
  advices->count--;
  for (size_t i = worst; i < advices->count; i++)
    advices->items[i] = advices->items[i + 1];
}

static tni_replay_result
advice_replay_all(const tni_advices *advices, const tni_replay *replay)
{
  bool chosen[TNI_REPLAY_PLANS] = {false};
  for (size_t i = 0; i < advices->count; i++) {
    TN_CHECK(advices->items[i].plan.early == 0, "advice.early");
    chosen[advice_number(replay, &advices->items[i].plan)] = true;
  }
  return advices->count ? tni_replay_run(replay, chosen) : advices->before;
}

/* Each may cost a hundredth of the peak, all together no more than that. */
static void
advice_join(tni_advices *advices, const tni_replay *replay)
{
  advices->together = advice_replay_all(advices, replay);
  while (advices->count > 0 && advices->together.is_good &&
         advices->together.peak_bytes > advice_most_peak(&advices->before)) {
    advice_drop(advices);
    advices->together = advice_replay_all(advices, replay);
  }
}

void
tni_advices_init(tni_advices *advices, tni_analysis *a, tni_analysis *second,
                 const tni_machine *machine)
{
  *advices =
      (tni_advices){.machine = machine, .refusal = tni_replay_refusal(a)};
  if (advices->refusal)
    return;
  tni_advice_plans plans = {.count = 0};
  advices->looked_at = tni_advice_plan(&plans, a);
  if (plans.count == 0)
    return;
  tni_replay replay;
  tni_replay_init(&replay, a, plans.items, plans.count);
  advices->is_partial = replay.is_partial;
  advices->before = tni_replay_run(&replay, NULL);
  advices->calls = advices->before.calls;
  if (advices->before.is_good)
    advice_judge(advices, &replay);
  advice_sort(advices);
  if (second)
    advice_confirm(advices, a, second);
  advice_join(advices, &replay);
  tni_replay_fini(&replay);
}

void
tni_advices_fini(tni_advices *advices)
{
  free(advices->items);
  *advices = (tni_advices){0};
}
