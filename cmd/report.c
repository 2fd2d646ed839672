/* report.c -- `tenure report`: what a recorded run did with its memory
 *
 * Tests  test/cmd/test_report_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include "cmd.h"
#include "report.h"

static const char *const report_summary =
    "Say what the run that left TRACE did with its memory: where the peak is, "
    "who\nallocates, what lives how long, what is left.";

bool
cmd_read_suppress(const char *path, tni_suppress **out)
{
  char problem[256] = "";
  *out = NULL;
  if (path == NULL ||
      tni_suppress_open(out, path, problem, sizeof problem) == TN_OK)
    return true;
  (void)cmd_fail("%s", problem);
  return false;
}

static int
report_write(const char *trace, const tni_suppress *suppress, bool is_json,
             const char *html)
{
  if (html)
    return tni_report_html(trace, suppress, html);
  return is_json ? tni_report_json(stdout, trace, suppress)
                 : tni_report_text(stdout, trace, suppress);
}

int
cmd_report(int argc, char **argv)
{
  bool is_json = false;
  const char *html = NULL, *patterns = NULL, *trace;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json,
       "all of it, as JSON on standard output"},
      {'o', "html", CMD_TEXT, &html,
       "a page that needs nothing else, to a file"},
      {0, "suppress", CMD_TEXT, &patterns, CMD_SUPPRESS_HELP},
  };
  const cmd_usage usage = {"tenure report", "TRACE", report_summary, options,
                           sizeof options / sizeof *options};
  const int code = cmd_parse(&usage, argc, argv, &trace);
  if (code >= 0)
    return code;
  if (is_json && html)
    return cmd_fail("--json or --html, not both");
  tni_suppress *suppress = NULL;
  if (!cmd_read_suppress(patterns, &suppress))
    return CMD_FAILED;
  const int failed = report_write(trace, suppress, is_json, html);
  tni_suppress_close(suppress);
  return failed ? CMD_FAILED : CMD_OK;
}
