/* advise.c -- `tenure advise`: which sites should not be on the general heap
 *
 * Tests  test/cmd/test_advise_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include <unistd.h>

#include "cmd.h"
#include "probe.h"
#include "report.h"

int
cmd_advise(int argc, char **argv)
{
  bool is_json = false;
  const char *trace, *second, *probe = NULL;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json, "as JSON"},
      {'p', "probe", CMD_TEXT, &probe,
       "weigh time on the machine of this file, which tenure probe --json\n"
       "                           wrote (default: that of tenure probe "
       "--save)"},
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
  static tni_machine machine;
  char saved[4096], problem[300];
  if (probe == NULL && probe_saved(saved, sizeof saved) &&
      access(saved, R_OK) == 0)
    probe = saved;
  if (probe && !tni_machine_read(&machine, probe, problem, sizeof problem))
    return cmd_fail("%s", problem);
  return tni_report_advice(stdout, trace, second, probe ? &machine : NULL,
                           is_json)
             ? CMD_FAILED
             : CMD_OK;
}
