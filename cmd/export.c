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

int
cmd_export(int argc, char **argv)
{
  const char *format = NULL, *output = "-", *trace;
  const cmd_option options[] = {
      {'f', "format", CMD_TEXT, &format,
       "pprof, collapsed, dhat, speedscope, perfetto or heaptrack"},
      {'o', "output", CMD_TEXT, &output,
       "the file to write; - (the default) "
       "is standard output"},
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
  const bool is_stdout = strcmp(output, "-") == 0;
  errno = 0;
  FILE *const to = is_stdout ? stdout : fopen(output, "wb");
  if (to == NULL)
    return cmd_fail("cannot write %s: %s", output, strerror(errno));
  bool is_good = tni_export(to, trace, format) == 0;
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
