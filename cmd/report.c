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

static int
report_write_file(const char *trace, const char *html)
{
  return tni_report_html(trace, html) ? CMD_FAILED : CMD_OK;
}

int
cmd_report(int argc, char **argv)
{
  bool is_json = false;
  const char *html = NULL, *trace;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json,
       "all of it, as JSON on standard output"},
      {'o', "html", CMD_TEXT, &html,
       "a page that needs nothing else, to a file"},
  };
  const cmd_usage usage = {"tenure report", "TRACE", report_summary, options,
                           sizeof options / sizeof *options};
  const int code = cmd_parse(&usage, argc, argv, &trace);
  if (code >= 0)
    return code;
  if (is_json && html)
    return cmd_fail("--json or --html, not both");
  if (html)
    return report_write_file(trace, html);
  const int failed =
      is_json ? tni_report_json(stdout, trace) : tni_report_text(stdout, trace);
  return failed ? CMD_FAILED : CMD_OK;
}
