/* replay_with.c -- replaying a run with plans that somebody names; see report.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "trace/advice.h"
#include "trace/report.h"

static const char *const with_ways[TNI_WAYS] = {"heap", "stack",  "scratch",
                                                "turn", "region", "pool",
                                                "ring", "grow",   "own"};

/* The number of the function called name; 0: there is none. */
static uint32_t
with_function(const tni_analysis *a, const char *name)
{
  for (uint32_t i = 1; i < a->names.count; i++)
    if (a->names.functions[i].name &&
        strcmp(a->names.functions[i].name, name) == 0)
      return i;
  return 0;
}

/* Fill in plans for all sites in a function. */
static size_t
with_sites(const tni_analysis *a, const tni_plan *plan, const char *function,
           tni_plan *plans, size_t room)
{
  size_t count = 0;
  for (uint32_t i = 1; i < a->site_count && count < room; i++) {
    const char *const name = a->names.functions[a->sites[i].function].name;
    if (name == NULL || strcmp(name, function) != 0 || a->sites[i].blocks == 0)
      continue;
    plans[count] = *plan;
    plans[count].site = i;
    if (plan->way == TNI_WAY_STACK) {
      plans[count].function = a->sites[i].function;
      plans[count].size = a->sites[i].most_size;
    }
    if (plan->way == TNI_WAY_POOL && plan->size == 0)
      plans[count].size = a->sites[i].most_size;
    if (plan->way == TNI_WAY_RING && plan->size == 0)
      plans[count].size = tni_advice_ring_size(&a->sites[i]);
    count++;
  }
  return count;
}

static size_t
with_fail(const char *text, const char *what)
{
  fprintf(stderr, "tenure: --with %s: %s\n", text, what);
  return 0;
}

/* "pool:FUNCTION", "scratch:FUNCTION:SCOPE", "grow:FUNCTION:BYTES" ... to plans;
 * 0 after one line on standard error. */
static size_t
with_parse(const tni_analysis *a, const char *text, tni_plan *plans,
           size_t room)
{
  char copy[512];
  snprintf(copy, sizeof copy, "%s", text);
  char *const site = strchr(copy, ':');
  if (site == NULL)
    return with_fail(text, "WAY:FUNCTION or WAY:FUNCTION:SCOPE is wanted");
  *site = '\0';
  /* Names of C++ hold "::". */
  char *last = strrchr(site + 1, ':');
  if (last && last > site + 1 && last[-1] == ':')
    last = NULL;
  if (last)
    *last = '\0';
  tni_plan plan = {.way = TNI_WAYS};
  for (int way = 0; way < TNI_WAYS; way++)
    if (strcmp(with_ways[way], copy) == 0)
      plan.way = (tni_way)way;
  if (plan.way == TNI_WAYS || plan.way == TNI_WAY_HEAP)
    return with_fail(text,
                     "stack, scratch, turn, region, pool, ring, grow or own "
                     "is wanted");
  if (plan.way == TNI_WAY_SCRATCH || plan.way == TNI_WAY_TURN) {
    plan.function = last ? with_function(a, last + 1) : 0;
    if (plan.function == 0)
      return with_fail(text, "no such function to be the scope");
  } else if (last) {
    plan.size = strtoull(last + 1, NULL, 10);
  }
  if (plan.way == TNI_WAY_GROW && plan.size == 0)
    return with_fail(text, "room for how many bytes?");
  const size_t count = with_sites(a, &plan, site + 1, plans, room);
  return count ? count : with_fail(text, "no such function that allocates");
}

static void
with_row(FILE *to, const char *name, uint64_t before, uint64_t after)
{
  char from[32], until[32];
  fprintf(to, "  %-14s %16s  ->  %16s\n", name, tni_report_count(before, from),
          tni_report_count(after, until));
}

static int
with_run(FILE *to, tni_analysis *a, const tni_plan *plans, size_t count)
{
  tni_replay replay;
  tni_replay_init(&replay, a, plans, count);
  bool chosen[TNI_REPLAY_PLANS] = {false};
  uint64_t early = 0;
  for (size_t p = 0; p < replay.plan_count; p++) {
    early += replay.plans[p].early;
    chosen[p] = true;
  }
  const tni_replay_result before = tni_replay_run(&replay, NULL);
  const tni_replay_result after = tni_replay_run(&replay, chosen);
  char n[32];
  if (replay.is_partial)
    fprintf(to, "the first %s operations of the run:\n",
            tni_report_count(replay.count, n));
  tni_replay_fini(&replay);
  if (!before.is_good || !after.is_good) {
    fprintf(stderr, "tenure: the replay did not finish\n");
    return 1;
  }
  with_row(to, "heap calls", before.calls, after.calls);
  with_row(to, "instructions", before.instructions, after.instructions);
  with_row(to, "peak bytes", before.peak_bytes, after.peak_bytes);
  with_row(to, "pages", before.pages, after.pages);
  with_row(to, "pages kept", before.mean_pages, after.mean_pages);
  with_row(to, "ns", before.ns, after.ns);
  if (early == 0)
    return 0;
  fprintf(to, "wrong: %s blocks would have gone before their last use\n",
          tni_report_count(early, n));
  return 2;
}

int
tni_report_replay(FILE *to, const char *trace, const char *const *with,
                  size_t count)
{
  tni_analysis *const a = tni_report_open_whole(trace);
  if (a == NULL)
    return 1;
  tni_plan plans[TNI_REPLAY_PLANS];
  size_t used = 0;
  int failed = 0;
  for (size_t i = 0; i < count && !failed; i++) {
    if (strcmp(with[i], "advice") == 0) {
      tni_advices advices;
      tni_advices_init(&advices, a, NULL, NULL);
      for (size_t k = 0; k < advices.count && used < TNI_REPLAY_PLANS; k++) {
        plans[used] = advices.items[k].plan;
        plans[used] = (tni_plan){.site = plans[used].site,
                                 .way = plans[used].way,
                                 .function = plans[used].function,
                                 .size = plans[used].size};
        used++;
      }
      tni_advices_fini(&advices);
      continue;
    }
    const size_t more =
        with_parse(a, with[i], plans + used, TNI_REPLAY_PLANS - used);
    failed = more == 0;
    used += more;
  }
  if (!failed)
    failed = with_run(to, a, plans, used);
  tni_analysis_close(a);
  return failed;
}
