/* export.c -- `tenure export`: a recorded run for other tools
 *
 * Tests  test/cmd/test_export_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <string.h>

#include "trace/report.h"

#include "cmd.h"
#include "report.h"

static int
export_to(const char *output, const char *trace, const tni_suppress *suppress,
          const char *format)
{
  const bool is_stdout = strcmp(output, "-") == 0;
  errno = 0;
  FILE *const to = is_stdout ? stdout : fopen(output, "wb");
  if (to == NULL)
    return cmd_fail("cannot write %s: %s", output, strerror(errno));
  bool is_good = tni_export(to, trace, suppress, format) == 0;
  const bool is_written = fflush(to) == 0 && !ferror(to);
  if (!is_stdout)
    fclose(to);
  if (is_good && !is_written)
    cmd_fail("cannot write %s: %s", output, strerror(errno));
  is_good = is_good && is_written;
  if (!is_good && !is_stdout)
    remove(output);
  return is_good ? CMD_OK : CMD_FAILED;
}

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
  const int result = export_to(output, trace, suppress, format);
  tni_suppress_close(suppress);
  return result;
}
