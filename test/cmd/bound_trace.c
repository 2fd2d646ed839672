/* bound_trace.c -- write a trace for the test of `tenure plan bound`
 *
 * Seven blocks: one resized twice, the second time while its address is handed
 * out again; one whose address is handed out again without a free; one aligned;
 * and a free of what the trace does not know.
 * SPDX-License-Identifier: MIT
 */
#include "../trace/writer.h"

enum { HIGH = 0x7000000 };

int
main(int argc, char **argv)
{
  if (argc != 2)
    return 2;
  writer *const w = writer_open(argv[1], 0);
  writer_section(w, 1, 0);
  w->header.last_tick = w->header.last_ns = 2000;
  writer_program(w, "/opt/sample", "sample", 7);
  writer_module(w, "/opt/sample", 0x10000, 0x10000, 0x100000);
  writer_thread(w, 0, 1, HIGH - 0x100000, HIGH, "main");
  const uint32_t frame = writer_frame(w, 0x10100, 64);
  const uint32_t stack = writer_stack(w, TN_TRACE_API_MALLOC, &frame, 1, 64, 0);
  writer_alloc(w, 0, 100, stack, 0x20000, 100);
  writer_resize(w, 0, 200, stack, 0x20000, 0x30000, 200);
  writer_free(w, 0, 300, stack, 0x99990);
  const uint64_t aligned[] = {stack, 0x40000, 4096, 64};
  writer_other(w, 0, 400, TN_TRACE_ALLOC, aligned, 4);
  writer_alloc(w, 0, 500, stack, 0x50000, 32);
  writer_free(w, 0, 600, stack, 0x40000);
  writer_alloc(w, 0, 700, stack, 0x50000, 16);
  const uint64_t open[] = {stack, 0x30000};
  writer_other(w, 0, 750, TN_TRACE_RESIZE_OPEN, open, 2);
  writer_alloc(w, 0, 760, stack, 0x30000, 32);
  writer_resize(w, 0, 800, stack, 0x30000, 0x60000, 8);
  writer_close(w);
  return 0;
}
