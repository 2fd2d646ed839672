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
  const char *before, *after, *patterns = NULL;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json, "as JSON"},
      {0, "suppress", CMD_TEXT, &patterns, CMD_SUPPRESS_HELP},
  };
  const cmd_usage usage = {
      "tenure diff", "BEFORE AFTER",
      "Say what changed between two recorded runs of a program, site by site.",
      options, sizeof options / sizeof *options};
  const int code = cmd_parse_two(&usage, argc, argv, &before, &after);
  if (code >= 0)
    return code;
  if (after == NULL)
    return cmd_fail("two traces, please: BEFORE AFTER");
  tni_suppress *suppress = NULL;
  if (!cmd_read_suppress(patterns, &suppress))
    return CMD_FAILED;
  const int failed = tni_report_diff(stdout, before, after, suppress, is_json);
  tni_suppress_close(suppress);
  return failed ? CMD_FAILED : CMD_OK;
}
