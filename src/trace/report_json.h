/* report_json.h -- the analysis as JSON, for programs and for the page
 *
 * One object.  Texts are numbers into its list "texts" where a text comes up
 * often: in the stacks, and in the columns of sites.
 *
 * Threads   one.
 * Tests     test/trace/test_report.c, test/cmd/test_report_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_REPORT_JSON_H
#define TNI_TRACE_REPORT_JSON_H

#include "trace/advice.h"

typedef struct tni_report_limits {
  size_t sites;    // at most; the rest is one row
  size_t nodes;    // of the stack tree, about
  size_t rows;     // of the heap map; 0: without it
  size_t columns;  // of the heap map
} tni_report_limits;

void tni_report_json_write(tni_json *j, tni_analysis *a,
                           const tni_advices *advices,
                           const tni_report_limits *limits);

/* Function, file and line of a frame, under a key; NULL: in a list. */
void tni_report_json_where(tni_json *j, tni_analysis *a, const char *key,
                           uint32_t frame);

#endif
