/* replay.h -- a recorded run again, on other disciplines
 *
 * A plan says for one site what its blocks are to come from.  One more pass
 * over the trace makes a tape: the operations of the run, and the beginnings
 * and ends of the scopes that plans speak of.  It also finds where a plan would
 * free a block that is still used; such a plan is wrong.  Running the tape does
 * the operations for real, in a process of their own.
 *
 * Invariants
 *   [replay.early]   a plan under which a block would go before its last use is
 *                   known by its count of early blocks.
 *   [replay.same]    each run does the same operations on the same blocks.
 *   [replay.layout]  what arenas hold by the model is what they hold (release).
 *   [replay.whole]   a run is replayed only if every block is in its trace.
 * Threads   one.  Threads of the recorded run are replayed one after another,
 *           in the order of their events.
 * Cost      16 bytes an operation, for the first TNI_REPLAY_MOST of them.
 * Design    doc/design/advice.md      Tests  test/trace/test_advice.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_REPLAY_H
#define TNI_TRACE_REPLAY_H

#include "trace/analysis.h"

enum {
  TNI_REPLAY_MOST = 4000000,  // operations on a tape
  TNI_REPLAY_PLANS = 200,
  TNI_REPLAY_SITE_PLANS = 12,   // of one site
  TNI_REPLAY_SCOPE_PLANS = 16,  // whose blocks share a scope
  TNI_REPLAY_TICKS = 256,  // instants of the run at which pages are counted
};

typedef enum tni_way {
  TNI_WAY_HEAP,     // as it was
  TNI_WAY_STACK,    // an array in the frame of the function that asks
  TNI_WAY_SCRATCH,  // in a scratch arena, whose scope is a call of a function
  TNI_WAY_TURN,     // the same, emptied each time the call gets to a line
  TNI_WAY_REGION,   // in an arena that is reset when all have died
  TNI_WAY_POOL,     // blocks of one size
  TNI_WAY_RING,     // first in, first out
  TNI_WAY_GROW,     // with room to grow from the start
  TNI_WAY_OWN,      // in a general heap of its own
  TNI_WAYS
} tni_way;

typedef struct tni_plan {
  uint32_t site;
  tni_way way;
  uint32_t function;  // whose call is the scope (STACK, SCRATCH, TURN)
  uint32_t turn;  // found: the call in it where all has died (TURN); a frame
  uint64_t size;  // of an array; of a pool's blocks; of a ring; the room at
                  // the start (GROW)
  /* Found by the pass. */
  uint64_t blocks;       // of the site
  uint64_t scoped;       // of these, that a scope was found for
  uint64_t early;        // of these, that outlived it
  uint64_t scopes;       // that had blocks; when all have died it counts anew
  uint64_t most_bytes;   // in one scope, all that was allocated
  uint64_t most_blocks;  // likewise
  uint64_t most_live;    // blocks at once in one scope
  uint64_t call_bytes;   // most_bytes, if scopes end with their calls only
  uint64_t least_size, most_size;
  uint32_t scope;  // index in the replay's scopes
  uint32_t slot;   // among the plans that share the scope
} tni_plan;

typedef enum tni_replay_kind {
  TNI_REPLAY_ALLOC,            // block, size, site
  TNI_REPLAY_ALLOC_BY_RESIZE,  // the same, by realloc of nothing
  TNI_REPLAY_FREE,             // block
  TNI_REPLAY_RESIZE,           // block, size
  TNI_REPLAY_DROP,             // block: its process ends
  TNI_REPLAY_BEGIN,            // site: number of the scope
  TNI_REPLAY_END,              // likewise
  TNI_REPLAY_TURN,             // likewise: all that is in it has died
  TNI_REPLAY_TICK,             // an instant at which pages are counted
} tni_replay_kind;

/* What begins with each call of a function, for plans that agree in it. */
typedef struct tni_replay_scope {
  uint32_t function;
  uint32_t next;  // number + 1 of the function's next scope; 0: none
  uint32_t plan_count;
  uint32_t plans[TNI_REPLAY_SCOPE_PLANS];
  uint64_t calls;  // that the events show
  bool is_shared;  // by all scratch plans of the function
} tni_replay_scope;

typedef struct tni_replay_op {
  uint32_t what;  // tni_replay_kind + thread * 16
  uint32_t block;
  uint32_t size;
  uint32_t site;
} tni_replay_op;

typedef struct tni_replay {
  tni_plan plans[TNI_REPLAY_PLANS];
  size_t plan_count;
  tni_replay_scope scopes[TNI_REPLAY_PLANS];
  size_t scope_count;
  tni_replay_op *ops;
  size_t count, room;
  size_t block_count;
  uint32_t thread_count;
  size_t site_count;
  bool is_partial;  // the tape holds the beginning of the run only
} tni_replay;

/* Why a run cannot be replayed: its trace leaves blocks out.  NULL: it can. */
const char *tni_replay_refusal(const tni_analysis *a);

/* Make the tape for plans (of which `count` are given), and fill in what the
 * pass finds.  Reads the trace of a once more. */
void tni_replay_init(tni_replay *replay, tni_analysis *a, const tni_plan *plans,
                     size_t count);
void tni_replay_fini(tni_replay *replay);

typedef struct tni_replay_result {
  bool is_good;           // it ran
  uint64_t calls;         // of the general heap, and of heaps of their own
  uint64_t instructions;  // by the model of doc/design/advice.md
  uint64_t peak_bytes;    // of heap blocks as they are laid out, and what
                          // arenas and pools hold
  uint64_t pages;         // that were touched
  uint64_t mean_pages;    // that live blocks keep, over the run's events
  uint64_t most_pages;    // likewise, at most
  uint64_t waste_pages;   // of mean_pages, what the blocks do not fill
  uint64_t heap_blocks, heap_bytes;    // ever; live at most
  uint64_t other_blocks, other_bytes;  // of arenas, pools ...; held at most
  uint64_t ns;  // the fastest of three; noisy; 0: not taken
} tni_replay_result;

/* Run the tape with some of the plans, of one site at most one, in a child
 * process.
 *
 *   chosen  a truth for each plan; NULL: none
 *   returns is_good is false when it failed
 */
tni_replay_result tni_replay_run(const tni_replay *replay, const bool *chosen);

/* The same without the time, which costs more than all else; not is_good when
 * the peak is more than most_peak bytes. */
tni_replay_result tni_replay_count(const tni_replay *replay, const bool *chosen,
                                   uint64_t most_peak);
/* The time only: all else is 0. */
tni_replay_result tni_replay_time(const tni_replay *replay, const bool *chosen);

/* Run something in a child process: what it does to memory goes with it.
 *
 *   run      called in the child, with state
 *   result   size bytes, in reach of run there; they come back from the child,
 *            at most a page of them
 *   returns  false: the child did not finish, and result is not to be believed
 */
bool tni_replay_apart(void (*run)(void *state), void *state, void *result,
                      size_t size);

/* Whether blocks of a way live in a call of the plan's function. */
bool tni_way_is_scoped(tni_way way);

/* "scratch arena", "pool" ... */
const char *tni_way_name(tni_way way);

#endif
