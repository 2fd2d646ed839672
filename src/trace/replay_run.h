/* replay_run.h -- what a run of a tape has at hand; part of replay
 *
 * replay_home.c gives blocks their place in a discipline, replay_count.c keeps
 * the accounts, replay_run.c does one operation after another.
 *
 * Threads   one.
 * Design    doc/design/advice.md      Tests  test/trace/test_replay.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_REPLAY_RUN_H
#define TNI_TRACE_REPLAY_RUN_H

#include "trace/replay.h"

#include <tenure/arena.h>
#include <tenure/heap.h>
#include <tenure/pool.h>
#include <tenure/ring.h>

/* What one operation costs in instructions (x86-64, callgrind): glibc 2.36 with
 * its thread cache, which holds seven blocks of each small size, and without;
 * ours as they are inlined.  test/trace/slow_replay_model.py counts them.  A
 * heap of its own counts as any heap: that ours may be faster is no reason for
 * a second one. */
enum {
  TNI_RUN_HEAP_FAST = 120,    // bytes; up to here there are bins of one size
  TNI_RUN_HEAP_SMALL = 1032,  // bytes; larger blocks miss the thread cache
  TNI_RUN_HEAP_CACHED = 7,    // blocks of a size
  TNI_RUN_HEAP_ALLOC = 41,    // from the cache
  TNI_RUN_HEAP_FREE = 88,
  TNI_RUN_HEAP_ALLOC_FAST = 78,  // from a bin of one size
  TNI_RUN_HEAP_FREE_FAST = 114,
  TNI_RUN_HEAP_ALLOC_BIN = 150,  // from other bins
  TNI_RUN_HEAP_FREE_BIN = 160,
  TNI_RUN_HEAP_ALLOC_NEW = 180,  // from memory that was not used before
  TNI_RUN_HEAP_ALLOC_LARGE = 148,
  TNI_RUN_HEAP_FREE_LARGE = 140,
  TNI_RUN_HEAP_RESIZE = 160,
  TNI_RUN_HEAP_BY_RESIZE = 26,  // that malloc would not have cost
  TNI_RUN_ARENA_MAKE = 15200,   // and its first block
  TNI_RUN_ARENA_PUSH = 7,
  TNI_RUN_ARENA_SCOPE = 5,   // of a call, used or not
  TNI_RUN_ARENA_REWIND = 3,  // of a turn
  TNI_RUN_ARENA_RESET = 152,
  TNI_RUN_ARRAY_CHOICE = 4,   // whether a block is small enough for the array
  TNI_RUN_POOL_MAKE = 11600,  // and its first page of blocks
  TNI_RUN_POOL_CARVE = 8,     // a block that was not there before
  TNI_RUN_POOL_ALLOC = 6,
  TNI_RUN_POOL_FREE = 6,
  TNI_RUN_RING_MAKE = 2400,
  TNI_RUN_RING_PUSH = 8,
  TNI_RUN_RING_POP = 8,
  TNI_RUN_PAGE = 4096,
  TNI_RUN_SPAN = 65536,    // pages
  TNI_RUN_SPANS = 524288,  // in 2^47 bytes of addresses
  TNI_RUN_CLASSES = 66,    // of heap sizes: one each 16 bytes
};

typedef struct tni_run_scope {
  tn_arena_mark mark;
  unsigned char *array;  // of the frame (STACK)
  uint64_t used;         // bytes, by the model, where it begins
  uint64_t live;         // blocks in it
} tni_run_scope;

/* One arena: of a thread and scope, or the region of a site. */
typedef struct tni_run_arena {
  tn_arena arena;
  tni_run_scope *scopes;
  size_t depth, room;
  uint64_t live;  // blocks of a region
  uint64_t used;  // bytes, by the model
  uint64_t most;  // that it ever held
  bool is_made;
} tni_run_arena;

typedef enum tni_run_place {
  TNI_RUN_NOWHERE,
  TNI_RUN_ON_HEAP,
  TNI_RUN_ON_OWN,
  TNI_RUN_IN_ARENA,
  TNI_RUN_IN_REGION,
  TNI_RUN_IN_POOL,
  TNI_RUN_IN_RING,
} tni_run_place;

typedef struct tni_run_block {
  void *p;
  uint32_t size;  // that there is room for
  uint32_t site;
  uint32_t place;
  uint32_t thread, depth;  // of its scope, for one in an arena
} tni_run_block;

typedef struct tni_run_pool {
  tn_pool pool;
  uint64_t live, most;
  bool is_made;
} tni_run_pool;

typedef struct tni_run_ring {
  tn_ring ring;
  bool is_made;
} tni_run_ring;

typedef struct tni_run_state {
  const tni_replay *r;
  const tni_plan **plan_of;  // by site; NULL: the heap
  uint8_t *is_used;          // by scope: some chosen plan has it
  tni_run_block *blocks;
  tni_run_arena *arenas;   // by thread and scope
  tni_run_arena *regions;  // by site
  tni_run_pool *pools;     // by site
  tni_run_ring *rings;     // by site
  tn_heap **heaps;         // by site
  unsigned what;           // is taken: see replay_run.c
  uint64_t most_peak;      // bytes; beyond them nobody wants to know more
  bool is_over;
  bool has_accounts;
  uint32_t thread;                     // of the operation
  uint8_t (*cached)[TNI_RUN_CLASSES];  // blocks in the caches of threads
  uint32_t binned[TNI_RUN_CLASSES];    // and in the heap's bins
  uint64_t heap, held;                 // bytes now: heap blocks; all else
  uint64_t packed;      // of the heap blocks, without what is around them
  uint64_t held_pages;  // of all else
  uint32_t **pages;     // by span, then by page: 0, or heap blocks on it + 1
  uint64_t used_pages;  // that had a heap block
  uint64_t live_pages;  // that have one
  uint64_t page_sum, byte_sum, ticks;
  tni_replay_result result;
} tni_run_state;

/* ---- Accounts -------------------------------------------------------------- */

/* A block of a heap is there, or is about to go: its bytes and pages. */
void tni_run_note_block(tni_run_state *s, const tni_run_block *b,
                        bool is_there);
/* The calls for it. */
void tni_run_note_alloc(tni_run_state *s, const tni_run_block *b);
void tni_run_note_free(tni_run_state *s, const tni_run_block *b);
/* Something else than a heap holds `more` bytes now, where it held `before`. */
void tni_run_note_held(tni_run_state *s, uint64_t before, uint64_t more);
/* A block came from it. */
void tni_run_note_other(tni_run_state *s, uint64_t instructions);
void tni_run_note_tick(tni_run_state *s);
void tni_run_note_end(tni_run_state *s);

/* ---- Places ---------------------------------------------------------------- */

tni_run_arena *tni_run_arena_of(tni_run_state *s, uint32_t thread,
                                uint32_t scope);
void tni_run_begin(tni_run_state *s, uint32_t thread, uint32_t scope);
void tni_run_end(tni_run_state *s, uint32_t thread, uint32_t scope);
void tni_run_turn(tni_run_state *s, uint32_t thread, uint32_t scope);

/* Where the plan of the block's site puts it; TNI_RUN_NOWHERE: on the heap. */
tni_run_place tni_run_by_plan(tni_run_state *s, const tni_plan *plan,
                              uint32_t thread, tni_run_block *b);
/* A block that is not on the general heap goes. */
void tni_run_leave(tni_run_state *s, tni_run_block *b);

#endif
