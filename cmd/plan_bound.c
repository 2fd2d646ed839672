/* plan_bound.c -- `tenure plan bound`: what a run needed at least
 *
 * Plans the allocations of a run (plan_bound.h) as somebody would who had known
 * them all before: the load, the height of the best plan found, and next to
 * them what the run's allocator used.
 *
 * Without a line `held`, what was used is given as the most pages of 4 KiB that
 * held live bytes at once: at least so much was resident.
 *
 * Tests  test/cmd/test_plan_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdlib.h>

#include "plan_bound.h"

/* What the allocator used, as far as the events tell. */
static uint64_t
boundcmd_used(const bound_run *run)
{
  return run->most_held ? run->most_held
                        : run->most_live_pages << BOUND_PAGE_LOG2;
}

/* Blocks that were never freed live until after the last line. */
static int
boundcmd_plan(bound_run *run, const cmd_solve_options *options)
{
  if (run->count == 0)
    return CMD_OK;
  cmd_table table = {.path = run->path,
                     .count = run->count,
                     .buffers = run->buffers,
                     .rows = cmd_allocate(run->count, sizeof *table.rows)};
  for (size_t i = 0; i < run->count; i++) {
    tn_plan_buffer *const b = &run->buffers[i];
    if (b->upper == INT64_MAX)
      b->upper = (int64_t)run->line + 1;
    table.rows[i] = (cmd_row){.id = "block", .line = (size_t)b->lower};
  }
  cmd_solution solution;
  const int code = cmd_solve(&table, options, &solution);
  if (code == CMD_OK) {
    run->lower_bound = solution.result.lower_bound;
    run->height = solution.result.height;
    run->status = solution.result.status;
    cmd_solution_free(&solution);
  }
  free(table.rows);
  return code;
}

/* All of the file's processes, the time dealt out among those that are left. */
static int
boundcmd_plan_all(bound_file *f, const cmd_solve_options *given)
{
  const uint64_t second = 1000000000;
  const uint64_t all = given->time_ns != UINT64_MAX ? given->time_ns
                       : given->nodes               ? 0
                                                    : 10 * second;
  const uint64_t start = cmd_clock_ns();
  int code = CMD_OK;
  for (size_t i = 0; i < f->count && code == CMD_OK; i++) {
    cmd_solve_options options = *given;
    const uint64_t used = cmd_clock_ns() - start;
    options.time_ns = all == 0     ? 0
                      : used < all ? (all - used) / (f->count - i)
                                   : 0;
    if (all != 0 && options.time_ns == 0)
      options.time_ns = 1;
    code = boundcmd_plan(&f->runs[i], &options);
  }
  return code;
}

/* The sum of all processes, each at its worst; blocks that a fork has from its
 * parent count in both. */
static bound_run
boundcmd_sum(const bound_file *f)
{
  bound_run sum = {.path = f->path};
  for (size_t i = 0; i < f->count; i++) {
    const bound_run *const run = &f->runs[i];
    sum.count += run->count;
    sum.live_count += run->live_count;
    sum.lower_bound += run->lower_bound;
    sum.height += run->height;
    sum.most_held += run->most_held;
    sum.most_live_pages += run->most_live_pages;
    if (run->status > sum.status)
      sum.status = run->status;
  }
  return sum;
}

static double
boundcmd_ratio(const bound_run *run)
{
  return run->height ? (double)boundcmd_used(run) / (double)run->height : 0;
}

static void
boundcmd_print_one(const bound_run *run)
{
  printf("%s: %zu blocks, %zu never freed\n", run->path, run->count,
         run->live_count);
  printf("  %-28s %14" PRId64 " bytes\n", "bound (no plan is below)",
         run->lower_bound);
  printf("  %-28s %14" PRId64 " bytes, %s\n", "clairvoyant allocator",
         run->height, tn_plan_status_name(run->status));
  printf("  %-28s %14" PRIu64 " bytes, %.3f of the clairvoyant\n",
         run->most_held ? "the allocator held" : "pages with live bytes",
         boundcmd_used(run), boundcmd_ratio(run));
}

static void
boundcmd_print_row(const bound_run *run, const char *name, uint64_t pid)
{
  char number[24] = "";
  if (pid)
    snprintf(number, sizeof number, "%" PRIu64, pid);
  printf("%8s %10zu %11zu %14" PRId64 " %14" PRId64 " %14" PRIu64
         " %7.3f  %-9s  %s\n",
         number, run->count, run->live_count, run->lower_bound, run->height,
         boundcmd_used(run), boundcmd_ratio(run),
         tn_plan_status_name(run->status), name);
}

static void
boundcmd_print(const bound_file *f)
{
  const bound_run sum = boundcmd_sum(f);
  if (f->count == 1) {
    boundcmd_print_one(f->runs);
    return;
  }
  printf("%s: %zu processes, bytes\n", f->path, f->count);
  printf("%8s %10s %11s %14s %14s %14s %7s  %-9s  %s\n", "pid", "blocks",
         "never freed", "bound", "clairvoyant", "pages", "ratio", "status",
         "program");
  for (size_t i = 0; i < f->count; i++)
    boundcmd_print_row(&f->runs[i], f->runs[i].process->path,
                       f->runs[i].process->pid);
  boundcmd_print_row(&sum, "sum of all, each at its most", 0);
}

/* The fields of an object, without its braces. */
static void
boundcmd_print_fields(const bound_run *run)
{
  printf("\"blocks\": %zu, \"never_freed\": %zu, \"lower_bound\": %" PRId64
         ", \"height\": %" PRId64 ", \"status\": \"%s\", \"%s\": %" PRIu64,
         run->count, run->live_count, run->lower_bound, run->height,
         tn_plan_status_name(run->status),
         run->most_held ? "held" : "live_pages_bytes", boundcmd_used(run));
}

static void
boundcmd_print_json(const bound_file *f)
{
  const bound_run sum = boundcmd_sum(f);
  putchar('{');
  boundcmd_print_fields(&sum);
  if (f->trace) {
    fputs(", \"processes\": [", stdout);
    for (size_t i = 0; i < f->count; i++) {
      const tni_trace_process *const process = f->runs[i].process;
      printf("%s\n {\"pid\": %" PRIu32 ", \"program\": ", i ? "," : "",
             process->pid);
      cmd_write_json_text(stdout, process->path);
      fputs(", ", stdout);
      boundcmd_print_fields(&f->runs[i]);
      putchar('}');
    }
    putchar(']');
  }
  fputs("}\n", stdout);
}

/* Beside an answer: what it may lack. */
static void
boundcmd_warn(const bound_file *f)
{
  const char *const problem = f->trace ? tni_trace_problem(f->trace) : NULL;
  if (problem)
    fprintf(stderr, "%s: the trace is damaged: %s\n", f->path, problem);
  if (f->trace && f->runs->process->mode == TN_TRACE_SAMPLED)
    fprintf(stderr, "%s: this is of the sampled blocks only\n", f->path);
}

int
cmd_plan_bound(int argc, char **argv)
{
  cmd_solve_options options = CMD_SOLVE_OPTIONS;
  bool json = false;
  const cmd_option rows[] = {
      {0, "time", CMD_DURATION, &options.time_ns,
       "plan for TIME (5s, 200ms, 2m; 0: until proved); 10s without --nodes"},
      {0, "nodes", CMD_COUNT, &options.nodes,
       "plan each process for COUNT nodes"},
      {0, "json", CMD_FLAG, &json, "the answer as JSON"},
  };
  const cmd_usage usage = {
      "tenure plan bound", "TRACE",
      "What the allocations of a run needed at least, had they been known\n"
      "before, against what its allocator used: of each process, and in sum.\n"
      "TRACE is a recorded run, or a CSV file that begins with the line\n"
      "op,address,size; the ops are alloc, free and held (the bytes that the\n"
      "allocator has from the system then).",
      rows, sizeof rows / sizeof *rows};
  bound_file f = {0};
  const int parsed = cmd_parse(&usage, argc, argv, &f.path);
  if (parsed >= 0)
    return parsed;
  int code = cmd_bound_read(&f);
  if (code == CMD_OK)
    code = boundcmd_plan_all(&f, &options);
  if (code == CMD_OK) {
    boundcmd_warn(&f);
    (json ? boundcmd_print_json : boundcmd_print)(&f);
  }
  cmd_bound_free(&f);
  return code;
}
