/* test_plan_check.c -- a wrong plan never leaves the command
 *
 * The command's solving is compiled with a planner that answers what each case
 * says.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../../cmd/cmd.c"
#include "../../cmd/crew.c"
#include "../../cmd/plan.h"

static tn_status test_solve(const tn_plan_problem *problem,
                            const tn_plan_options *options,
                            tn_plan_result *result);
#define tn_plan_solve test_solve
#include "../../cmd/plan.c"
#undef tn_plan_solve

#include "test.h"

static tn_plan_result answer;
static int64_t answer_offsets[2];
static tn_status answer_status;

static tn_status
test_solve(const tn_plan_problem *problem, const tn_plan_options *options,
           tn_plan_result *result)
{
  TEST(problem->count == 2 && options->provider);
  memcpy(result->offsets, answer_offsets, sizeof answer_offsets);
  result->status = answer.status;
  result->height = answer.height;
  result->error = answer.error;
  result->error_index = answer.error_index;
  return answer_status;
}

int
cmd_plan_solve(int argc, char **argv)
{
  return argc + (argv != NULL);
}

int
cmd_plan_verify(int argc, char **argv)
{
  return argc + (argv != NULL);
}

int
cmd_plan_header(int argc, char **argv)
{
  return argc + (argv != NULL);
}

int
cmd_plan_bound(int argc, char **argv)
{
  return argc + (argv != NULL);
}

/* Two buffers of 8 bytes that live together, planned as answered. */
static int
solve(int64_t second, int64_t height, tn_plan_status status)
{
  static cmd_row rows[] = {{.id = "a", .line = 2}, {.id = "b", .line = 3}};
  static tn_plan_buffer buffers[] = {TN_PLAN_BUFFER(0, 2, 8),
                                     TN_PLAN_BUFFER(1, 3, 8)};
  const cmd_table table = {
      .path = "test", .count = 2, .rows = rows, .buffers = buffers};
  const cmd_solve_options options = CMD_SOLVE_OPTIONS;
  cmd_solution solution;
  answer = (tn_plan_result){
      .status = status, .height = height, .error = "no", .error_index = 1};
  answer_offsets[1] = second;
  const int code = cmd_solve(&table, &options, &solution);
  if (code != CMD_FAILED && code != CMD_BAD_INPUT)
    cmd_solution_free(&solution);
  return code;
}

int
main(void)
{
  TEST(solve(8, 16, TN_PLAN_OPTIMAL) == CMD_OK);
  TEST(solve(8, 16, TN_PLAN_FEASIBLE) == CMD_OK);
  TEST(solve(7, 15, TN_PLAN_FEASIBLE) == CMD_FAILED);
  TEST(solve(8, 15, TN_PLAN_OPTIMAL) == CMD_FAILED);
  TEST(solve(-8, 8, TN_PLAN_OPTIMAL) == CMD_FAILED);
  TEST(solve(0, 0, TN_PLAN_INFEASIBLE) == CMD_INFEASIBLE);
  TEST(solve(0, 0, TN_PLAN_UNKNOWN) == CMD_UNKNOWN);
  answer_status = TN_ERANGE;
  TEST(solve(8, 16, TN_PLAN_OPTIMAL) == CMD_BAD_INPUT);
  answer_status = TN_ENOMEM;
  TEST(solve(8, 16, TN_PLAN_OPTIMAL) == CMD_FAILED);
  return test_done();
}
