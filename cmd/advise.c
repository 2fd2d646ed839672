/* advise.c -- `tenure advise`: which sites should not be on the general heap
 *
 * Tests  test/cmd/test_advise_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include "cmd.h"
#include "report.h"

const char *
cmd_take_second(int *argc, char **argv)
{
  int words = 0;
  for (int i = 0; i < *argc; i++) {
    if (argv[i][0] == '-' && argv[i][1] != '\0')
      continue;
    if (++words < 2)
      continue;
    const char *const second = argv[i];
    for (int j = i; j + 1 < *argc; j++)
      argv[j] = argv[j + 1];
    --*argc;
    return second;
  }
  return NULL;
}

int
cmd_advise(int argc, char **argv)
{
  bool is_json = false;
  const char *trace;
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
  const char *const second = cmd_take_second(&argc, argv);
  const int code = cmd_parse(&usage, argc, argv, &trace);
  if (code >= 0)
    return code;
  return tni_report_advice(stdout, trace, second, is_json) ? CMD_FAILED
                                                           : CMD_OK;
}
