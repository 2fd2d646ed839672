/* report.h -- reports on a recorded run
 *
 * The same analysis in three forms: a screen of text, JSON with all of it, and
 * a page that needs nothing else.
 *
 * Threads   one.
 * Failure   one line on standard error, and a nonzero result.
 * Design    doc/design/trace.md      Tests  test/trace/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_REPORT_H
#define TNI_TRACE_REPORT_H

#include <stdio.h>

#include "trace/advice.h"
#include "trace/analysis.h"
#include "trace/file.h"

/* Read a trace and write what matters on one screen, but no leaks that suppress
 * names (NULL: all).  0, or 1 after saying what is wrong. */
int tni_report_text(FILE *to, const char *trace, const tni_suppress *suppress);

/* Read a trace and write the page to a file. */
int tni_report_html(const char *trace, const tni_suppress *suppress,
                    const char *html);

/* Read a trace and write all of the analysis as JSON. */
int tni_report_json(FILE *to, const char *trace, const tni_suppress *suppress);

/* Read a trace and write it in the form of another tool, to a file ("-":
 * standard output): see export.h.  With suppress only a form that tells leaks is
 * written. */
int tni_export(const char *output, const char *trace,
               const tni_suppress *suppress, const char *format);

/* Read two traces and write what changed, site by site. */
int tni_report_diff(FILE *to, const char *before, const char *after,
                    const tni_suppress *suppress, bool is_json);

/* Replay a trace on one heap, a heap for each thread and a heap for each
 * function that allocates, and write what they come to.  0; 1: it failed. */
int tni_report_heaps(FILE *to, const char *trace);

/* Replay a trace with plans and write what it comes to.
 *
 *   with     "advice"; or WAY:FUNCTION[:SCOPE or BYTES], for all sites in that
 *            function
 *   returns 0; 1 after one line on standard error; 2 when a block would have
 *           gone before its last use
 */
int tni_report_replay(FILE *to, const char *trace, const char *const *with,
                      size_t count);

/* Both at once, from one reading: text to a stream, the page to a file. */
int tni_report_both(FILE *to, const char *trace, const tni_suppress *suppress,
                    const char *html);

/* The same from an analysis and its advice. */
void tni_report_write_text(FILE *to, tni_analysis *a,
                           const tni_advices *advices);
void tni_report_write_json(FILE *to, tni_analysis *a,
                           const tni_advices *advices);
void tni_report_write_html(FILE *to, tni_analysis *a,
                           const tni_advices *advices);

/* Read one trace, or two of the same program, and write advice: as text with
 * all evidence, or as JSON.  machine: whose time is weighed; NULL: none. */
int tni_report_advice(FILE *to, const char *trace, const char *second,
                      const tni_machine *machine, bool is_json);

/* Open an analysis; NULL after one line on standard error. */
tni_analysis *tni_report_open(const char *trace, const tni_suppress *suppress);

/* The same for a trace to be replayed, of which every block is needed. */
tni_analysis *tni_report_open_whole(const char *trace);

/* tni_advices_init, with a word on a terminal meanwhile. */
void tni_report_advise(tni_advices *advices, tni_analysis *a,
                       tni_analysis *second, const tni_machine *machine);

/* Say on a terminal's standard error what is being done; NULL: take it away. */
void tni_report_progress(const char *what);

/* ---- Numbers for people ----------------------------------------------------- */

/* "1.5 MiB", "37 B"; into text, which is returned. */
const char *tni_report_bytes(uint64_t bytes, char text[24]);
/* "12,345,678" */
const char *tni_report_count(uint64_t count, char text[32]);
/* "1.2 s", "350 us" */
const char *tni_report_time(uint64_t ns, char text[24]);

/* What "program argument argument" the first process was, cut to size. */
const char *tni_report_command(const tni_analysis *a, char *text, size_t size);

/* Threads that used the heap. */
uint32_t tni_report_threads(const tni_analysis *a);

/* Allocations a second of the run. */
uint64_t tni_report_rate(const tni_analysis *a);

/* A part of a whole in hundredths; 0 of nothing. */
double tni_report_percent(uint64_t part, uint64_t whole);

/* The heaviest first; of one weight, the lowest index. */
typedef struct tni_report_order {
  double weight;
  uint32_t index;
} tni_report_order;
void tni_report_order_by_weight(tni_report_order *order, size_t count);

/* Sites in falling order of a value; the caller frees the list. */
typedef uint64_t tni_report_value(const tni_site *site);
uint32_t *tni_report_sort(const tni_analysis *a, tni_report_value *value,
                          size_t *count);
uint64_t tni_report_peak(const tni_site *site);
uint64_t tni_report_most(const tni_site *site);
uint64_t tni_report_blocks(const tni_site *site);
uint64_t tni_report_left(const tni_site *site);
uint64_t tni_report_lost(const tni_site *site);

#endif
