/* plan_bound.h -- the allocations of a run, for `tenure plan bound`
 *
 * From a CSV file of events, in the order in which they happened:
 *
 *     op        alloc | free | held          (malloc is alloc)
 *     address   of the block, decimal or 0x...; empty for held
 *     size      bytes; empty for free; for held the bytes that the allocator
 *               has from the system at that moment
 *
 * Or from a trace that was recorded (trace/trace.h): of each process the
 * blocks of malloc and new, at their addresses; one that was forked begins with
 * those of its parent.  A block that is freed though the trace does not know it
 * is left out; one that is there when its address is handed out again was freed
 * unseen.
 *
 * Tests  test/cmd/test_plan_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef CMD_PLAN_BOUND_H
#define CMD_PLAN_BOUND_H

#include "plan.h"
#include "trace/trace.h"

enum { BOUND_PAGE_LOG2 = 12 };

/* A hash table of numbers: live blocks (address to buffer), or pages (number
 * to count of live blocks on it).  Linear probing; 0 is a free slot, so that
 * keys are kept plus one. */
typedef struct bound_slot {
  uint64_t key;
  uint64_t value;
} bound_slot;

typedef struct bound_map {
  bound_slot *slots;
  size_t room;  // power of two
  size_t used;
} bound_map;

/* The blocks of a process, and what came of them. */
typedef struct bound_run {
  const char *path;
  const tni_trace_process *process;  // NULL: of a file of events
  size_t line;
  bool is_begun;  // a fork: it has the blocks of its parent
  bound_map live, pages;
  bound_map aside;  // sizes of blocks whose resize is under way
  tn_plan_buffer *buffers;
  size_t count, buffer_room;
  size_t live_count;
  uint64_t live_pages, most_live_pages;
  uint64_t most_held;  // 0: no line says
  int64_t lower_bound, height;
  tn_plan_status status;
} bound_run;

typedef struct bound_file {
  const char *path;
  tni_trace *trace;  // NULL: a file of events
  bound_run *runs;   // of each process
  size_t count;
} bound_file;

/* Read f->path, the rest of f being zero.
 *
 *   returns an exit code; all but CMD_OK have been reported.  The caller frees
 *           f in any case
 */
int cmd_bound_read(bound_file *f);
void cmd_bound_free(bound_file *f);

#endif
