/* diff.c -- `tenure diff`: what changed between two recorded runs
 *
 * Tests  test/cmd/test_advise_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include "cmd.h"
#include "report.h"

int
cmd_diff(int argc, char **argv)
{
  bool is_json = false;
  const char *before;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json, "as JSON"},
  };
  const cmd_usage usage = {
      "tenure diff", "BEFORE AFTER",
      "Say what changed between two recorded runs of a program, site by site.",
      options, sizeof options / sizeof *options};
  const char *const after = cmd_take_second(&argc, argv);
  const int code = cmd_parse(&usage, argc, argv, &before);
  if (code >= 0)
    return code;
  if (after == NULL)
    return cmd_fail("two traces, please: BEFORE AFTER");
  return tni_report_diff(stdout, before, after, is_json) ? CMD_FAILED : CMD_OK;
}
