/* report_pools.h -- a program's own pools in the report, as text and JSON
 *
 * Threads   one.
 * Tests     test/record/test_client.py, test/trace/test_pools.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_REPORT_POOLS_H
#define TNI_TRACE_REPORT_POOLS_H

#include <stdio.h>

#include "trace/analysis.h"
#include "trace/json.h"

/* The largest kinds of pools, a line each; nothing when there are none. */
void tni_report_pools_text(FILE *to, tni_analysis *a, const char *head,
                           const char *end);

/* The list "pools", each with its largest sites. */
void tni_report_pools_json(tni_json *j, tni_analysis *a);

#endif
