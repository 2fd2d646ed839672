/* advise.c -- `tenure advise`: which sites should not be on the general heap
 *
 * Tests  test/cmd/test_advise_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include "cmd.h"
#include "report.h"

int
cmd_advise(int argc, char **argv)
{
  bool is_json = false;
  const char *trace, *second;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json, "as JSON"},
  };
  const cmd_usage usage = {
      "tenure advise", "TRACE [TRACE2]",
      "Say which sites of a recorded program should not be on the general "
      "heap, "
      "and\nwhat a replay of the run saves.  A second trace of the program, "
      "with "
      "other input,\nconfirms or refutes what one run cannot prove.",
      options, sizeof options / sizeof *options};
  const int code = cmd_parse_two(&usage, argc, argv, &trace, &second);
  if (code >= 0)
    return code;
  return tni_report_advice(stdout, trace, second, is_json) ? CMD_FAILED
                                                           : CMD_OK;
}
