/* analysis_time.h -- the run over time; part of the analysis
 *
 * Buckets of equal width, instants, mappings, samples of what is resident, and
 * which pages a few blocks keep.
 *
 * Threads   one.
 * Tests     test/trace/test_analysis.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_ANALYSIS_TIME_H
#define TNI_TRACE_ANALYSIS_TIME_H

#include "trace/analysis.h"

void tni_time_init(tni_analysis *a);

/* Go on to a moment: close the buckets and instants before it. */
void tni_time_advance(tni_analysis *a, uint64_t now_ns);

/* The live bytes have changed. */
void tni_time_note(tni_analysis *a);

/* A path has changed since the last instant. */
void tni_time_touch(tni_analysis *a, uint32_t path);

/* MAP, UNMAP, REMAP, BREAK, SAMPLE. */
void tni_time_map(tni_analysis *a, const tni_trace_event *event);

/* The last instant. */
void tni_time_finish(tni_analysis *a);

#endif
