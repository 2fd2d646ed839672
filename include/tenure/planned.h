/* planned.h -- a phase that repeats, its memory decided after the first time
 *
 * A phase (a frame, a request, a step of a simulation) that allocates the same
 * way each time is recorded once; its blocks are packed by the planner; from
 * then on a block is where the plan says: one look at a table.  A push that is
 * not as recorded comes from chunks instead, and is counted.  It is not an
 * arena for phases that differ: see arena.h.
 *
 *     RECORDING --end--> (planner) --> PLANNED --forget--> RECORDING
 *       | begin push pop                 | begin push pop end
 *       chunks                           the plan, or chunks
 *
 *     push:        0      1      2      3        recorded  0 1 2 3
 *     lifetime   [0, 2) [1, 4) [2, 3) [3, 4)     in pushes, as only a push can
 *                                                take bytes
 *
 * Invariants
 *   [planned.follow]  push k is served from the plan only when its size and
 *                     alignment are those recorded, and every block that was
 *                     dead by then is dead.  So live blocks are disjoint,
 *                     whatever the run does.
 *   [planned.same]    a phase like the recorded one uses no chunk.
 * Contracts
 *   [planned.phase]   begin and end alternate; push and pop stand between.
 *   [planned.pop]     a block is popped at most once, in its phase.
 *   [planned.align]   alignments are powers of two.
 * Threads   one owner at a time; no lock.
 * Failure   NULL or a status; the arena is as it was, and a plan that could not
 *           be made leaves it recording.
 * Cost      O(1) a push and a pop of a planned phase.
 * Source    the replay of recorded allocations in PyTorch and OLLA; the rule
 *           that tolerates departures is ours.
 * Design    doc/design/planned.md      Tests  test/planned/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_PLANNED_H
#define TENURE_PLANNED_H

#include <tenure/base.h>
#include <tenure/plan.h>
#include <tenure/provider.h>

TN_BEGIN_DECLS

/* tn_plan_solve, or a planner of the caller's. */
typedef tn_status tn_planned_solver(const tn_plan_problem *problem,
                                    const tn_plan_options *options,
                                    tn_plan_result *result);

typedef struct tn_planned_options {
  tn_provider *memory;       // of plan, chunks and tables
  tn_planned_solver *solve;  // usually tn_plan_solve
  uint64_t nodes;            // budget of the planner; 0: 100,000
} tn_planned_options;

/* What happened since the plan was made. */
typedef struct tn_planned_report {
  bool is_planned;    // false: the next phase is recorded
  size_t pushes;      // of the recorded phase
  size_t bytes;       // of the plan
  uint64_t phases;    // that have ended
  uint64_t departed;  // of them, those with a push that was not as recorded
  uint64_t planned;   // pushes served from the plan
  uint64_t fallback;  // pushes served from chunks
} tn_planned_report;

/* One push of the recorded phase.  Internal. */
typedef struct tni_planned_entry {
  size_t size;          // bytes, a multiple of TN_ALIGN
  size_t align;         // at least TN_ALIGN
  size_t offset;        // into the plan
  uint32_t due;         // the first push for which it must be dead
  uint32_t due_before;  // how many entries are due at this push
  uint32_t slot;        // of its offset in the table of live blocks
} tni_planned_entry;

/* The arena: caller's storage, fields internal. */
typedef struct tn_planned {
  tn_provider provider;              // const: this arena as a provider
  tn_planned_options options;        // const
  struct tni_planned_chunk *chunks;  // owner: the newest first
  unsigned char *cursor, *limit;     // owner: free bytes of the newest
  tni_planned_entry *entries;        // owner
  size_t count, room;                // owner: of entries
  unsigned char *plan;               // owner: NULL while recording
  size_t plan_size, plan_align;      // owner
  size_t *keys;       // owner: offset plus one of each slot; 0: none
  uint32_t *live;     // owner: of each slot, one more than the entry there
  uint32_t *early;    // owner: of each push, entries due then, dead before
  size_t slot_count;  // owner: power of two
  size_t next;        // owner: the push that comes next
  size_t debt;        // owner: entries that should be dead and are not
  bool is_open;       // owner: between begin and end
  bool has_departed;  // owner: in this phase
  tn_planned_report report;  // owner
} tn_planned;

/* Initialise: the first phase will be recorded.
 *
 *   p       any storage that does not move before fini
 *   options memory must free single blocks (TN_PROVIDER_FREE), or what the
 *           recording took is kept until the provider is reset
 *   threads the owner of p
 *   cost    O(1), no call
 */
TN_API void tn_planned_init(tn_planned *p, const tn_planned_options *options);

/* Give everything back to the provider; all blocks are dead.
 *
 *   threads the owner of p
 *   cost    O(chunks)
 */
TN_API void tn_planned_fini(tn_planned *p);

/* Begin a phase.
 *
 *   threads the owner of p
 *   cost    O(pushes of the plan): some 16 bytes are cleared for each
 */
TN_API void tn_planned_begin(tn_planned *p);

/* Allocate in a phase.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   align   a power of two; TN_ALIGN at least is kept
 *   returns the block, not zeroed; NULL when the provider has no room, p
 *           unchanged
 *   threads the owner of p
 *   cost    O(1) from the plan; from chunks a bump, and perhaps a call of the
 *           provider
 */
TN_API void *tn_planned_push(tn_planned *p, size_t size, size_t align);

/* End the lifetime of a block of this phase.  Blocks that are never popped
 * live until the end of the phase.
 *
 *   block   from tn_planned_push in this phase, popped once
 *   threads the owner of p
 *   cost    O(1)
 */
TN_API void tn_planned_pop(tn_planned *p, void *block);

/* End the phase: all its blocks are dead.  After a recorded phase the plan is
 * made.
 *
 *   returns TN_OK; after a recorded phase also what the planner answered
 *           (TN_ENOMEM, TN_ERANGE): then the next phase is recorded again
 *   threads the owner of p
 *   cost    O(1), and O(chunks) after a phase that used some; the planner's
 *           after a recorded phase
 */
TN_API tn_status tn_planned_end(tn_planned *p);

/* Drop the plan: the next phase is recorded.  Not within a phase.
 *
 *   threads the owner of p
 *   cost    O(1)
 */
TN_API void tn_planned_forget(tn_planned *p);

/* What happened since the plan was made; the counts of the phase that is open
 * are included.
 *
 *   threads the owner of p
 *   cost    O(1)
 */
TN_API tn_planned_report tn_planned_get_report(const tn_planned *p);

/* The same in one line of text.
 *
 *   buffer  receives the text, cut to fit, always ended by a NUL
 *   size    bytes of buffer, at least 1
 *   returns the length of the text
 *   threads the owner of p
 *   cost    O(length)
 */
TN_API size_t tn_planned_describe(const tn_planned *p, char *buffer,
                                  size_t size);

/* The arena as a provider, for containers whose memory is part of the phase.
 *
 *   returns a provider that frees and does not resize; p's
 *   threads the owner of p
 *   cost    O(1)
 */
TN_API tn_provider *tn_planned_provider(tn_planned *p);

TN_END_DECLS
#endif
