/* machine.h -- what memory costs on a machine, as `tenure probe` measured it
 *
 * Instructions alone say little of a run whose time goes into page faults and
 * cache misses.  With the ladder of a machine the results of replays become
 * nanoseconds: an estimate, to compare two of them, not a promise.
 *
 * Invariants
 *   [machine.rising]  the ladder's working sets rise, and their cost does not
 *                     fall.
 * Threads   one.
 * Failure   false and one line in `problem`; the machine is then not known.
 * Design    doc/design/advice.md      Tests  test/trace/test_machine.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_MACHINE_H
#define TNI_TRACE_MACHINE_H

#include "trace/replay.h"

enum { TNI_MACHINE_STEPS = 64 };

typedef struct tni_machine {
  uint64_t bytes[TNI_MACHINE_STEPS];  // working sets
  double ns[TNI_MACHINE_STEPS];       // an access in each, waiting for the last
  size_t count;                       // 0: the machine is not known
  double fault_ns;                    // the first touch of a page
} tni_machine;

/* Read what `tenure probe --json` wrote. */
bool tni_machine_read(tni_machine *machine, const char *path, char *problem,
                      size_t size);

/* The time that a replay's result comes to; 0: the machine is not known.
 *
 *   an instruction  an eighth of an access to the nearest cache: those take
 *                   four cycles, and two instructions a cycle are common
 *   a page          a fault
 *   a block         one access more than to the nearest cache, in a working set
 *                   as large as its heap's or its arena's peak
 */
double tni_machine_ns(const tni_machine *machine,
                      const tni_replay_result *result);

#endif
