/* plan_verify.c -- `tenure plan verify`: is this plan right?
 *
 * Tests  test/cmd/test_plan_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdlib.h>

#include "plan.h"

/* Move the offsets from the problem, where they are orders, to the plan, where
 * they are answers. */
static int
verifycmd_take_offsets(cmd_table *t, int64_t *offsets)
{
  for (size_t i = 0; i < t->count; i++) {
    offsets[i] = t->buffers[i].fixed;
    t->buffers[i].fixed = TN_PLAN_FREE;
    if (offsets[i] == TN_PLAN_FREE) {
      fprintf(stderr, "%s:%zu: %s has no offset: this is no plan\n", t->path,
              t->rows[i].line, t->rows[i].id);
      return CMD_BAD_INPUT;
    }
  }
  return CMD_OK;
}

static int
verifycmd_report(const cmd_table *t, const int64_t *offsets,
                 const tn_plan_report *r, int64_t capacity)
{
  if (r->fault == TN_PLAN_FAULT_NONE) {
    printf("%s: right: %zu buffers, height %" PRId64 " bytes\n", t->path,
           t->count, r->height);
    return CMD_OK;
  }
  const cmd_row *const a = &t->rows[r->first];
  printf("%s:%zu: wrong: %s at %" PRId64, t->path, a->line, a->id,
         offsets[r->first]);
  switch (r->fault) {
  case TN_PLAN_FAULT_NONE: break;
  case TN_PLAN_FAULT_OFFSET:
    printf(" is not a multiple of its alignment %" PRId64 "\n",
           t->buffers[r->first].align);
    break;
  case TN_PLAN_FAULT_OVERLAP:
    printf(" shares bytes with %s (line %zu) at %" PRId64
           ", and both are alive\n",
           t->rows[r->second].id, t->rows[r->second].line, offsets[r->second]);
    break;
  case TN_PLAN_FAULT_CAPACITY:
    printf(" ends above the capacity %" PRId64 "\n", capacity);
    break;
  case TN_PLAN_FAULT_POOL: printf(" is in a pool that is not there\n"); break;
  }
  return CMD_INFEASIBLE;
}

static int
verifycmd_check(cmd_table *t, const cmd_solve_options *given)
{
  cmd_solution s;
  if (cmd_problem_init(&s, t, given) != CMD_OK)
    return CMD_FAILED;
  if (s.problem.pool_count && t->pools == NULL)
    return cmd_fail("%s: --pool needs a column 'pool'", t->path);
  int64_t *const offsets = cmd_allocate(t->count, sizeof *offsets);
  int code = verifycmd_take_offsets(t, offsets);
  if (code == CMD_OK) {
    const tn_plan_options options = {.provider = cmd_get_provider()};
    tn_plan_report report;
    const tn_status status = tn_plan_verify(
        &s.problem, offsets, s.problem.pool_count ? t->pools : NULL, &options,
        &report);
    code = status == TN_OK
               ? verifycmd_report(t, offsets, &report, given->capacity)
               : cmd_fail("%s: %s", t->path, tn_status_text(status));
  }
  free(offsets);
  return code;
}

int
cmd_plan_verify(int argc, char **argv)
{
  cmd_solve_options options = CMD_SOLVE_OPTIONS;
  const cmd_option rows[] = {
      {'C', "capacity", CMD_BYTES, &options.capacity,
       "must fit into SIZE (256K, 8M)"},
      {0, "pool", CMD_TEXTS, &options.pools,
       "NAME:SIZE, in the order of the column 'pool'; several times"},
  };
  const cmd_usage usage = {
      "tenure plan verify", "PLAN.csv",
      "Check the offsets in a CSV file, by code that shares nothing with the\n"
      "solver.  Exit codes: 0 right, 2 wrong, 4 bad input, 1 anything else.",
      rows, sizeof rows / sizeof *rows};
  const char *path;
  const int parsed = cmd_parse(&usage, argc, argv, &path);
  if (parsed >= 0)
    return parsed;
  cmd_table table;
  int code = cmd_table_read(&table, path);
  if (code != CMD_OK)
    return code;
  code = verifycmd_check(&table, &options);
  cmd_table_free(&table);
  return code;
}
