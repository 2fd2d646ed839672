/* export.c -- `tenure export`: a recorded run for other tools
 *
 * Tests  test/cmd/test_export_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include "cmd.h"
#include "report.h"

int
cmd_export(int argc, char **argv)
{
  const char *format = NULL, *output = "-", *patterns = NULL, *trace;
  const cmd_option options[] = {
      {'f', "format", CMD_TEXT, &format,
       "pprof, collapsed, dhat, speedscope, perfetto or heaptrack"},
      {'o', "output", CMD_TEXT, &output,
       "the file to write; - (the default) "
       "is standard output"},
      {0, "suppress", CMD_TEXT, &patterns, CMD_SUPPRESS_HELP},
  };
  const cmd_usage usage = {"tenure export", "TRACE",
                           "Write a recorded run in the form of another tool.",
                           options, sizeof options / sizeof *options};
  const int code = cmd_parse(&usage, argc, argv, &trace);
  if (code >= 0)
    return code;
  if (format == NULL)
    return cmd_fail("--format pprof, collapsed, dhat, speedscope, perfetto or "
                    "heaptrack?");
  tni_suppress *suppress = NULL;
  if (!cmd_read_suppress(patterns, &suppress))
    return CMD_FAILED;
  const int failed = tni_export(output, trace, suppress, format);
  tni_suppress_close(suppress);
  return failed ? CMD_FAILED : CMD_OK;
}
