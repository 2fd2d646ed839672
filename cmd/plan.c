/* plan.c -- `tenure plan`: dispatch, and solving for the subcommands
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "plan.h"
#include "crew.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLANCMD_DEFAULT_NS UINT64_C(10000000000)

/* Set by SIGINT; the next progress call then stops the search. */
static volatile sig_atomic_t plancmd_interrupted;

/* Between callbacks: when the search began and what was last shown. */
typedef struct plancmd_watch {
  uint64_t start;
  uint64_t shown;
  bool is_terminal;
  cmd_crew crew;
} plancmd_watch;

static void
plancmd_execute(void *context, void (*job)(void *argument, size_t index),
                void *argument, size_t count)
{
  plancmd_watch *const w = context;
  cmd_crew_run(&w->crew, job, argument, count);
}

static void
plancmd_on_interrupt(int signal)
{
  (void)signal;
  plancmd_interrupted = 1;
}

static uint64_t
plancmd_clock(void *context)
{
  (void)context;
  return cmd_clock_ns();
}

static double
plancmd_gap_percent(int64_t height, int64_t bound)
{
  return bound > 0 ? 100.0 * (double)(height - bound) / (double)bound : 0;
}

static bool
plancmd_progress(void *context, const tn_plan_progress *p)
{
  enum { NS_BETWEEN = 100000000 };
  plancmd_watch *const w = context;
  if (!w->is_terminal)
    return !plancmd_interrupted;
  const uint64_t now = cmd_clock_ns();
  if (now - w->shown < NS_BETWEEN)
    return !plancmd_interrupted;
  w->shown = now;
  if (p->height >= 0)
    fprintf(stderr,
            "\r\033[Kheight %" PRId64 "  bound %" PRId64
            "  gap %.3f %%  %" PRIu64 " nodes  %.1f s ",
            p->height, p->lower_bound,
            plancmd_gap_percent(p->height, p->lower_bound), p->nodes,
            (double)(now - w->start) / 1e9);
  return !plancmd_interrupted;
}

/* ---- Pools --------------------------------------------------------------- */

/* NAME:SIZE or NAME:SIZE:COST. */
static bool
plancmd_parse_pool(const char *text, char *name, tn_plan_pool *pool)
{
  enum { MAX_COST = 1 << 20 };
  char size[32], cost[32], rest;
  const int fields =
      sscanf(text, "%31[^:]:%31[^:]:%31[^:]%c", name, size, cost, &rest);
  pool->cost = 0;
  return (fields == 2 || fields == 3) && text[strlen(text) - 1] != ':' &&
         cmd_parse_bytes(size, &pool->capacity) &&
         (fields == 2 ||
          (cmd_parse_bytes(cost, &pool->cost) && pool->cost <= MAX_COST));
}

static int
plancmd_read_pools(const cmd_solve_options *options, cmd_solution *s)
{
  for (size_t i = 0; i < options->pools.count; i++)
    if (!plancmd_parse_pool(options->pools.items[i], s->pool_names[i],
                            &s->pools[i]))
      return cmd_fail("pool '%s' is not NAME:SIZE[:COST]",
                      options->pools.items[i]);
  if (options->pools.count && options->capacity)
    return cmd_fail("--pool and --capacity do not go together: each pool has "
                    "its size");
  s->problem.pools = s->pools;
  s->problem.pool_count = options->pools.count;
  return CMD_OK;
}

/* ---- Solving ------------------------------------------------------------- */

/* Report what the library refused, with the line of the file. */
static int
plancmd_report_refusal(const cmd_table *t, const tn_plan_result *r,
                       tn_status status)
{
  const char *const text = r->error ? r->error : tn_status_text(status);
  if (status == TN_ENOMEM)
    return cmd_fail("%s: %s", t->path, text);
  if (r->error_index < t->count)
    fprintf(stderr, "%s:%zu: %s\n", t->path, t->rows[r->error_index].line,
            text);
  else
    fprintf(stderr, "%s: %s\n", t->path, text);
  return CMD_BAD_INPUT;
}

/* A plan that the verifier refuses is a bug of ours and never leaves. */
static int
plancmd_check(const cmd_table *t, const cmd_solution *s,
              const tn_plan_options *options)
{
  tn_plan_report report;
  const uint32_t *const pools = s->problem.pool_count ? s->result.pools : NULL;
  const tn_status status =
      tn_plan_verify(&s->problem, s->result.offsets, pools, options, &report);
  if (status != TN_OK)
    return cmd_fail("%s: the plan cannot be checked: %s", t->path,
                    tn_status_text(status));
  if (report.fault != TN_PLAN_FAULT_NONE || report.height != s->result.height)
    return cmd_fail("%s: a wrong plan was found (fault %d at line %zu): this "
                    "is a bug in tenure, please report it",
                    t->path, (int)report.fault, t->rows[report.first].line);
  return CMD_OK;
}

static tn_plan_options
plancmd_options(const cmd_table *t, const cmd_solve_options *given,
                plancmd_watch *watch)
{
  const uint64_t default_ns = given->nodes ? 0 : PLANCMD_DEFAULT_NS;
  const uint64_t ns =
      given->time_ns == UINT64_MAX ? default_ns : given->time_ns;
  *watch = (plancmd_watch){.start = cmd_clock_ns(),
                           .is_terminal = isatty(STDERR_FILENO) == 1};
  return (tn_plan_options){
      .goal =
          given->capacity && !given->minimize ? TN_PLAN_FIT : TN_PLAN_MINIMIZE,
      .provider = cmd_get_provider(),
      .nodes = given->nodes,
      .clock = ns ? plancmd_clock : NULL,
      .deadline = watch->start + ns,
      .seed = given->seed,
      .previous = t->hints,
      .progress = plancmd_progress,
      .execute = given->threads > 1 ? plancmd_execute : NULL,
      .context = watch,
  };
}

/* Solve with SIGINT caught. */
static tn_status
plancmd_run(const tn_plan_options *options, cmd_solution *s)
{
  struct sigaction on = {.sa_handler = plancmd_on_interrupt}, before;
  sigemptyset(&on.sa_mask);
  plancmd_interrupted = 0;
  sigaction(SIGINT, &on, &before);
  const plancmd_watch *const watch = options->context;
  const tn_status status = tn_plan_solve(&s->problem, options, &s->result);
  s->ns = cmd_clock_ns() - watch->start;
  sigaction(SIGINT, &before, NULL);
  if (watch->shown)
    fputs("\r\033[K", stderr);
  return status;
}

static int
plancmd_exit_code(tn_plan_status status)
{
  switch (status) {
  case TN_PLAN_OPTIMAL:
  case TN_PLAN_FEASIBLE: return CMD_OK;
  case TN_PLAN_INFEASIBLE: return CMD_INFEASIBLE;
  case TN_PLAN_UNKNOWN: break;
  }
  return CMD_UNKNOWN;
}

int
cmd_problem_init(cmd_solution *s, const cmd_table *t,
                 const cmd_solve_options *given)
{
  *s = (cmd_solution){.problem = {.buffers = t->buffers,
                                  .count = t->count,
                                  .gaps = t->gaps,
                                  .gap_count = t->gap_count,
                                  .shares = t->shares,
                                  .share_count = t->share_count,
                                  .capacity = given->capacity}};
  return plancmd_read_pools(given, s);
}

int
cmd_solve(const cmd_table *t, const cmd_solve_options *given, cmd_solution *s)
{
  if (cmd_problem_init(s, t, given) != CMD_OK)
    return CMD_FAILED;
  s->result.offsets = cmd_allocate(t->count, sizeof *s->result.offsets);
  s->result.conflict = cmd_allocate(t->count, sizeof *s->result.conflict);
  s->result.pools = cmd_allocate(t->count, sizeof *s->result.pools);
  plancmd_watch watch;
  const tn_plan_options options = plancmd_options(t, given, &watch);
  cmd_crew_begin(&watch.crew, given->threads);
  const tn_status status = plancmd_run(&options, s);
  cmd_crew_end(&watch.crew);
  int code = status == TN_OK ? plancmd_exit_code(s->result.status)
                             : plancmd_report_refusal(t, &s->result, status);
  if (code == CMD_OK && plancmd_check(t, s, &options) != CMD_OK)
    code = CMD_FAILED;
  if (code == CMD_FAILED || code == CMD_BAD_INPUT)
    cmd_solution_free(s);
  return code;
}

void
cmd_solution_free(cmd_solution *s)
{
  free(s->result.offsets);
  free(s->result.conflict);
  free(s->result.pools);
}

/* ---- Reporting ----------------------------------------------------------- */

/* The buffers that cannot be placed together, as far as a line goes. */
static void
plancmd_report_conflict(FILE *to, const cmd_table *t, const tn_plan_result *r)
{
  enum { SHOWN = 8 };
  fprintf(to, "%s: %zu buffers cannot be placed together%s:", t->path,
          r->conflict_count,
          r->conflict_is_irreducible ? ", any one fewer can" : "");
  for (size_t i = 0; i < r->conflict_count && i < SHOWN; i++) {
    const cmd_row *const row = &t->rows[r->conflict[i]];
    fprintf(to, "%s %s (line %zu)", i ? "," : "", row->id, row->line);
  }
  if (r->conflict_count > SHOWN)
    fprintf(to, " and %zu more", r->conflict_count - SHOWN);
  fputc('\n', to);
}

void
cmd_solution_report(FILE *to, const cmd_table *t, const cmd_solution *s)
{
  const tn_plan_result *const r = &s->result;
  fprintf(to, "%s: %s: ", t->path, tn_plan_status_name(r->status));
  if (r->status == TN_PLAN_INFEASIBLE)
    fprintf(to, "proved: no plan fits");
  else if (r->status == TN_PLAN_UNKNOWN)
    fprintf(to, "no plan that fits was found, and none was ruled out");
  else
    fprintf(to, "height %" PRId64 " bytes", r->height);
  if (s->problem.capacity)
    fprintf(to, ", capacity %" PRId64, s->problem.capacity);
  if (plancmd_exit_code(r->status) != CMD_OK && r->height >= 0)
    fprintf(to, ", a plan of %" PRId64 " is known", r->height);
  fprintf(to, ", bound %" PRId64, r->lower_bound);
  if (r->status == TN_PLAN_FEASIBLE && s->problem.pool_count == 0)
    fprintf(to, ", gap %.3f %%",
            plancmd_gap_percent(r->height, r->lower_bound));
  if (s->problem.pool_count)
    fprintf(to, ", cost %" PRId64, r->cost);
  fprintf(to, ", %zu buffers, %" PRIu64 " nodes, %.3f s\n", t->count, r->nodes,
          (double)s->ns / 1e9);
  if (r->status == TN_PLAN_INFEASIBLE && r->conflict_count)
    plancmd_report_conflict(to, t, r);
}

int
cmd_plan(int argc, char **argv)
{
  static const cmd_entry entries[] = {
      {"solve", cmd_plan_solve, "give every buffer of a CSV file an offset"},
      {"verify", cmd_plan_verify, "check the offsets in a CSV file"},
      {"header", cmd_plan_header, "a plan as a C and C++ header of constants"},
      {"bound", cmd_plan_bound,
       "what a recorded run needed at least, and what malloc used"},
  };
  return cmd_dispatch("tenure plan", entries, sizeof entries / sizeof *entries,
                      argc, argv);
}
