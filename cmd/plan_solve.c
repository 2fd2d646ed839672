/* plan_solve.c -- `tenure plan solve` and `tenure plan verify`
 *
 * Tests  test/cmd/test_plan_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdlib.h>

#include "trace/report.h"

#include "picture.h"
#include "plan.h"

/* What the writers of files get. */
typedef struct solvecmd_job {
  const cmd_table *table;
  const cmd_solution *solution;
} solvecmd_job;

static bool
solvecmd_has_plan(const cmd_solution *s)
{
  return s->result.status == TN_PLAN_OPTIMAL ||
         s->result.status == TN_PLAN_FEASIBLE;
}

static void
solvecmd_write_csv(FILE *to, const void *argument)
{
  const solvecmd_job *const job = argument;
  const cmd_solution *const s = job->solution;
  cmd_table_write(to, job->table, s->result.offsets,
                  s->problem.pool_count ? s->result.pools : NULL);
}

static void
solvecmd_write_svg(FILE *to, const void *argument)
{
  const solvecmd_job *const job = argument;
  cmd_picture_write_svg(to, job->table, job->solution);
}

static void
solvecmd_write_html(FILE *to, const void *argument)
{
  const solvecmd_job *const job = argument;
  cmd_picture_write_html(to, job->table, job->solution);
}

static void
solvecmd_write_json_buffers(FILE *to, const solvecmd_job *job)
{
  const tn_plan_result *const r = &job->solution->result;
  fputs(",\n \"buffers\": [", to);
  for (size_t i = 0; i < job->table->count; i++) {
    fputs(i ? ",\n  {\"id\": " : "\n  {\"id\": ", to);
    cmd_write_json_text(to, job->table->rows[i].id);
    fprintf(to, ", \"offset\": %" PRId64, r->offsets[i]);
    if (job->solution->problem.pool_count)
      fprintf(to, ", \"pool\": %" PRIu32, r->pools[i]);
    fputc('}', to);
  }
  fputc(']', to);
}

static void
solvecmd_write_json_conflict(FILE *to, const solvecmd_job *job)
{
  const tn_plan_result *const r = &job->solution->result;
  fprintf(to, ",\n \"conflict_is_irreducible\": %s,\n \"conflict\": [",
          r->conflict_is_irreducible ? "true" : "false");
  for (size_t i = 0; i < r->conflict_count; i++) {
    fputs(i ? ", " : "", to);
    cmd_write_json_text(to, job->table->rows[r->conflict[i]].id);
  }
  fputc(']', to);
}

static void
solvecmd_write_json(FILE *to, const void *argument)
{
  const solvecmd_job *const job = argument;
  const cmd_solution *const s = job->solution;
  const tn_plan_result *const r = &s->result;
  fprintf(to,
          "{\"status\": \"%s\",\n \"height\": %" PRId64
          ",\n \"lower_bound\": %" PRId64 ",\n \"capacity\": %" PRId64
          ",\n \"cost\": %" PRId64 ",\n \"nodes\": %" PRIu64
          ",\n \"recalled\": %" PRIu64
          ",\n \"seconds\": %.6f,\n \"memory\": %zu,\n"
          " \"witness\": {\"lower\": %" PRId64 ", \"upper\": %" PRId64
          ", \"is_load\": %s}",
          tn_plan_status_name(r->status), r->height, r->lower_bound,
          s->problem.capacity, r->cost, r->nodes, r->recalled,
          (double)s->ns / 1e9, r->memory, r->witness_lower, r->witness_upper,
          r->witness_is_load ? "true" : "false");
  if (solvecmd_has_plan(s))
    solvecmd_write_json_buffers(to, job);
  if (r->status == TN_PLAN_INFEASIBLE)
    solvecmd_write_json_conflict(to, job);
  fputs("}\n", to);
}

typedef struct solvecmd_outputs {
  const char *csv, *svg, *html;
  bool json;
} solvecmd_outputs;

/* Write everything asked for; the CSV goes to standard output when neither it
 * nor the JSON was sent elsewhere. */
static int
solvecmd_write(const solvecmd_job *job, const solvecmd_outputs *out)
{
  int code = CMD_OK;
  if (out->json)
    code = tni_file_write("-", solvecmd_write_json, job);
  if (!solvecmd_has_plan(job->solution))
    return code;
  if (code == CMD_OK && (out->csv || !out->json))
    code = tni_file_write(out->csv ? out->csv : "-", solvecmd_write_csv, job);
  if (code == CMD_OK && out->svg)
    code = tni_file_write(out->svg, solvecmd_write_svg, job);
  if (code == CMD_OK && out->html)
    code = tni_file_write(out->html, solvecmd_write_html, job);
  return code;
}

int
cmd_plan_solve(int argc, char **argv)
{
  cmd_solve_options options = CMD_SOLVE_OPTIONS;
  solvecmd_outputs out = {0};
  const cmd_option rows[] = {
      {'o', "output", CMD_TEXT, &out.csv,
       "write the rows of IN.csv and their offsets to FILE"},
      CMD_SOLVE_OPTION_ROWS(options),
      {0, "pool", CMD_TEXTS, &options.pools,
       "NAME:SIZE[:COST], fast ones first; may be given several times"},
      {0, "svg", CMD_TEXT, &out.svg, "draw the plan"},
      {0, "html", CMD_TEXT, &out.html, "draw the plan on a page"},
      {0, "json", CMD_FLAG, &out.json, "the answer as JSON on standard output"},
  };
  const cmd_usage usage = {
      "tenure plan solve", "IN.csv",
      "Give every buffer an offset, so that those alive at the same time are\n"
      "disjoint and the height is as low as can be.  Exit codes: 0 a plan,\n"
      "2 proved that there is none, 3 unknown, 4 bad input, 1 anything else.",
      rows, sizeof rows / sizeof *rows};
  const char *path;
  const int parsed = cmd_parse(&usage, argc, argv, &path);
  if (parsed >= 0)
    return parsed;
  cmd_table table;
  int code = cmd_table_read(&table, path);
  if (code != CMD_OK)
    return code;
  cmd_solution solution;
  code = cmd_solve(&table, &options, &solution);
  if (code != CMD_FAILED && code != CMD_BAD_INPUT) {
    cmd_solution_report(stderr, &table, &solution);
    const solvecmd_job job = {&table, &solution};
    if (solvecmd_write(&job, &out) != CMD_OK)
      code = CMD_FAILED;
    cmd_solution_free(&solution);
  }
  cmd_table_free(&table);
  return code;
}
