/* report_html.c -- the report as a page; see report.h
 *
 * The page's parts are in cmd/report/; the build puts them together into lines
 * of text (tools/trace.mk), and the data goes where one of them says @data.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>

#include "trace/report.h"
#include "trace/report_json.h"

/* Made by the build; ends with NULL. */
extern const char *const tni_report_page[];

/* Sites beyond these are one row, small stacks their callers': with them the
 * page stays below 2 MB whatever the trace. */
static const tni_report_limits html_limits = {
    .sites = 4000, .nodes = 5000, .rows = 256, .columns = 240};

static void
html_write_data(FILE *to, tni_analysis *a, const tni_advices *advices)
{
  tni_json j = tni_json_to(to);
  tni_report_json_write(&j, a, advices, &html_limits);
}

void
tni_report_write_html(FILE *to, tni_analysis *a, const tni_advices *advices)
{
  for (const char *const *line = tni_report_page; *line; line++) {
    const char *const mark = strstr(*line, "@data");
    if (mark == NULL) {
      fputs(*line, to);
      continue;
    }
    fwrite(*line, 1, (size_t)(mark - *line), to);
    html_write_data(to, a, advices);
    fputs(mark + strlen("@data"), to);
  }
}

typedef struct html_job {
  tni_analysis *a;
  const tni_advices *advices;
} html_job;

static void
html_write(FILE *to, const void *argument)
{
  const html_job *const job = argument;
  tni_report_write_html(to, job->a, job->advices);
}

int
tni_report_both(FILE *to, const char *trace, const tni_suppress *suppress,
                const char *html)
{
  tni_analysis *const a = tni_report_open(trace, suppress);
  if (a == NULL)
    return 1;
  tni_advices advices;
  tni_report_advise(&advices, a, NULL, NULL);
  if (to)
    tni_report_write_text(to, a, &advices);
  const int failed = tni_file_write(html, html_write, &(html_job){a, &advices});
  tni_advices_fini(&advices);
  tni_analysis_close(a);
  return failed;
}

int
tni_report_html(const char *trace, const tni_suppress *suppress,
                const char *html)
{
  return tni_report_both(NULL, trace, suppress, html);
}
