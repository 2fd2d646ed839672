/* export.h -- a recorded run in the forms that other tools read
 *
 * Nothing is left out: each path of the analysis is written with its whole
 * stack.  Sums of a sampled trace are weighted; the form says so where it has a
 * place for that, otherwise a line on standard error does.
 *
 *     pprof        profile.proto, not compressed
 *     collapsed    one line a stack: bytes at the peak
 *     dhat         version 2, for dh_view.html
 *     speedscope   a profile for each of peak, bytes, blocks and left
 *     perfetto     Chrome's trace events: live bytes and blocks over time
 *     heaptrack    version 3, all events, for heaptrack_print
 *
 * Threads   one.
 * Source    github.com/google/pprof proto/profile.proto; valgrind's
 *           dhat/dh_main.c writes version 2, and dh_view.js reads it;
 *           speedscope's file-format-spec; heaptrack's own output.
 * Tests     test/cmd/test_export_cmd.py, test/cmd/slow_export_tools.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_EXPORT_H
#define TNI_TRACE_EXPORT_H

#include "trace/report.h"

#define TNI_EXPORT_SAMPLED "estimated from samples"

void tni_export_pprof(FILE *to, tni_analysis *a);
void tni_export_collapsed(FILE *to, tni_analysis *a);
void tni_export_dhat(FILE *to, tni_analysis *a);
void tni_export_speedscope(FILE *to, tni_analysis *a);
void tni_export_perfetto(FILE *to, tni_analysis *a);
void tni_export_heaptrack(FILE *to, tni_analysis *a);

#endif
