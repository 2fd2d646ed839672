/* resident.h -- what of a run lies in memory, and what it is for
 *
 * A recorder says now and then how many bytes of its process are resident, of
 * these of files, and how long the first stack is; and each mapping that the
 * program makes itself.  From that, for all processes that are alive:
 *
 *     resident = heap + stacks + mappings + files + rest
 *
 * heap is what live blocks were asked for; stacks those of first threads;
 * mappings what the program mapped without a file, or got by brk, and may use;
 * files are programs, libraries and mapped files.  The rest is the allocator's:
 * its free memory, the words between blocks; and the stacks of other threads.
 * That a page of a block or of a mapping was never touched is not seen: so heap
 * and mappings are at most what is left of the resident bytes.
 *
 * Invariants
 *   [resident.sum]    the parts are together what is resident.
 *   [resident.order]  ranges are in order and do not overlap.
 * Threads   one.
 * Cost      O(ranges) a mapping, O(processes) a sample.
 * Design    doc/design/trace.md      Tests  test/trace/test_resident.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_RESIDENT_H
#define TNI_TRACE_RESIDENT_H

#include "trace/trace.h"

/* Bytes. */
typedef struct tni_resident_parts {
  uint64_t resident;
  uint64_t heap, stacks, mappings, files, rest;
} tni_resident_parts;

typedef struct tni_resident_range {
  uint32_t process;
  bool is_anonymous;  // without a file, and may be read
  uint64_t low, high;
} tni_resident_range;

typedef struct tni_resident_sample {
  uint64_t resident, files, stacks, faults;
} tni_resident_sample;

typedef struct tni_resident {
  const tni_trace *trace;
  tni_resident_range *ranges;
  size_t count, room;
  tni_resident_sample *samples;  // by process: the last; zero once it has ended
  uint64_t mapped, anonymous;    // bytes of ranges, of these anonymous ones
} tni_resident;

void tni_resident_init(tni_resident *r, const tni_trace *trace);
void tni_resident_fini(tni_resident *r);

/* A mapping, the data segment or a sample; other events change nothing. */
void tni_resident_add(tni_resident *r, const tni_trace_event *event);

/* The process has ended: what it had is gone, but its page faults. */
void tni_resident_drop(tni_resident *r, uint32_t process);

/* The parts now, of which live bytes are blocks. */
tni_resident_parts tni_resident_now(const tni_resident *r, uint64_t live);

/* Page faults so far, of all processes. */
uint64_t tni_resident_faults(const tni_resident *r);

bool tni_resident_is_valid(const tni_resident *r);

#endif
