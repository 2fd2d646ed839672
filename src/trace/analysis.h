/* analysis.h -- what a recorded run did with its memory
 *
 * One pass over the events.  Sums are kept by path (a call stack and the
 * function of the allocator it called) and by site (the place in the program
 * that asked: see names.h); over time in buckets, and every few buckets the
 * live bytes of each path that changed.
 *
 * A resize counts as the block's own growth, as in valgrind's DHAT: the path
 * stays that of the allocation, blocks goes up by one, bytes by the new size.
 * What a process leaves at its end counts as left, not freed.
 *
 * Invariants
 *   [analysis.live]  the live bytes of all paths are those of all sites, and
 *                    those of all live blocks.
 *   [analysis.peak]  the sum over paths of peak_bytes is the run's peak.
 *   [analysis.ends]  of every site: blocks that came are those that went, were
 *                    left, or are live.
 * Threads   one.
 * Cost      some 100 ns an event; memory for live blocks, paths and sites.
 * Design    doc/design/trace.md      Tests  test/trace/test_analysis.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_ANALYSIS_H
#define TNI_TRACE_ANALYSIS_H

#include "trace/blocks.h"
#include "trace/contexts.h"
#include "trace/heapmap.h"
#include "trace/names.h"
#include "trace/pools.h"
#include "trace/resident.h"
#include "trace/suppress.h"

enum {
  TNI_BUCKETS = 480,    // of time
  TNI_INSTANTS = 48,    // at the end of every tenth bucket
  TNI_LIFETIMES = 40,   // class i: below 2^i ns
  TNI_SIZES = 40,       // class i: below 2^i bytes
  TNI_HOLDERS = 12,     // functions that hold the blocks of a site
  TNI_FREE_PLACES = 8,  // where the blocks of a site are freed
  TNI_MISMATCHES = 64,
};

/* How far out the call is that holds a block's whole life. */
enum {
  TNI_ESCAPE_NONE,     // 0: the function of the site itself
  TNI_ESCAPE_FAR = 7,  // 7 or more calls further out
  TNI_ESCAPE_THREAD,   // the thread's first function
  TNI_ESCAPE_OTHER,    // freed by another thread
  TNI_ESCAPE_LEFT,     // never freed
  TNI_ESCAPE_UNKNOWN,
  TNI_ESCAPES,
};

/* In which order blocks went; each block counts once. */
typedef enum tni_order {
  TNI_ORDER_LIFO,      // as the newest of its thread
  TNI_ORDER_TOGETHER,  // with at least TNI_TOGETHER frees and no allocation
  TNI_ORDER_FIFO,      // as the oldest of its site
  TNI_ORDER_ANY,       // otherwise, by its own thread
  TNI_ORDER_OTHER,     // by another thread
  TNI_ORDER_LEFT,      // never
  TNI_ORDERS
} tni_order;
enum { TNI_TOGETHER = 8 };

/* Live bytes of a path from an instant on. */
typedef struct tni_series {
  uint64_t bytes;
  uint32_t instant;
  uint32_t older;  // index in the analysis; 0: none
} tni_series;

typedef struct tni_path {
  uint32_t node;  // of the stack tree
  uint32_t next;  // path of the same node with another api; 0: none
  uint32_t site;
  uint32_t epoch;  // of the peak that peak_bytes is of
  uint8_t api;
  bool is_dirty;                     // changed since the last instant
  uint64_t blocks, bytes;            // that ever came
  uint64_t live_blocks, live_bytes;  // now
  uint64_t most_blocks, most_bytes;  // when live_bytes was largest
  uint64_t peak_blocks, peak_bytes;  // when those of the run were
  uint64_t left_blocks, left_bytes;  // at the ends of processes
  uint64_t resizes;                  // of the blocks that ever came
  uint64_t temporary;                // freed before its thread's next event
  uint64_t lifetime_ns;              // of the freed and the left, together
  uint32_t series;                   // newest
} tni_path;

typedef struct tni_holding {
  uint32_t function;  // number; see names.h
  uint32_t level;     // how far out it was, at most
  uint64_t blocks;
} tni_holding;

typedef struct tni_free_place {
  uint32_t node;  // site node of the free; 0: not known
  uint64_t blocks;
} tni_free_place;

typedef struct tni_site {
  uint32_t frame;     // key; the first, if its line has been compiled twice
  uint32_t node;      // the first stack seen, from the site outward
  uint32_t function;  // that the site is in
  uint64_t blocks;    // that ever came; resizes not counted
  uint64_t bytes;     // that ever came; with the sizes after resizes
  uint64_t frees;     // by the program
  uint64_t live_blocks, live_bytes;
  uint64_t most_blocks, most_bytes;
  uint64_t peak_blocks, peak_bytes;
  uint32_t epoch;
  uint64_t left_blocks, left_bytes;          // never freed
  uint64_t suppressed_blocks;                // the same, not to be told
  uint64_t lost_blocks, lost_bytes;          // of these, that nothing points to
  uint64_t indirect_blocks, indirect_bytes;  // that only lost ones do
  uint64_t temporary;
  uint64_t resizes, moves, resize_bytes;  // bytes copied by moves
  uint64_t grown;                         // blocks that were resized at all
  uint64_t final_sizes[TNI_SIZES];        // of blocks that were resized
  uint64_t least_size, most_size;
  uint64_t lifetimes[TNI_LIFETIMES];
  uint64_t lifetime_ns;
  uint64_t escapes[TNI_ESCAPES];
  uint64_t orders[TNI_ORDERS];
  uint64_t oldest_first, newest_first;  // of the site's own blocks
  uint64_t generations;  // times that the site had live blocks, and then none
  uint64_t generation_bytes, most_generation;  // allocated in one
  uint64_t threads;  // bit i: thread i modulo 64 allocated here
  uint64_t pages;    // kept by few of its blocks, at the worst instant
  tni_holding holders[TNI_HOLDERS];
  uint32_t holder_count;
  bool is_growing;         // only ever grows, to the end, and is never freed
  uint64_t other_holders;  // blocks whose holder found no room there
  tni_free_place frees_at[TNI_FREE_PLACES];
  uint32_t free_count;
  tni_block_list list;
} tni_site;

typedef struct tni_bucket {
  uint64_t most, least;  // live bytes
  uint64_t blocks;       // live at its end
  uint64_t allocs, frees, bytes;
  uint64_t mapped;              // by mmap and brk, at its end
  tni_resident_parts resident;  // where there was most; no sample yet: zero
} tni_bucket;

typedef struct tni_mismatch {
  uint32_t path;
  uint32_t node;  // of the free
  uint8_t api;    // of the free
  uint64_t count;
} tni_mismatch;

typedef struct tni_totals {
  uint64_t events, allocs, frees, resizes;
  uint64_t blocks, bytes;  // as DHAT counts
  uint64_t live_blocks, live_bytes;
  uint64_t peak_blocks, peak_bytes, peak_ns;
  uint64_t left_blocks, left_bytes;
  uint64_t temporary;
  uint64_t orders[TNI_ORDERS];
  uint64_t escapes[TNI_ESCAPES];
  uint64_t unknown_frees;  // of blocks that were never seen
  uint64_t lost;           // events that could not be recorded
  tni_resident_parts peak_resident;
  uint64_t peak_resident_ns, faults, peak_mapped;
  uint64_t pinned_pages;  // kept by few blocks, at the worst instant
  uint64_t pinned_ns;
  uint64_t lost_blocks, lost_bytes;              // left: sums of the sites'
  uint64_t indirect_blocks, indirect_bytes;      // likewise
  uint64_t suppressed_blocks, suppressed_bytes;  // left, but not to be told
  uint64_t sampled;  // one allocation in so many bytes: sums are estimates
  bool has_marks;    // what was left has been looked at
  bool has_sums;     // by stack, instead of events: no peak, no lifetimes
} tni_totals;

typedef struct tni_thread_state tni_thread_state;

typedef struct tni_analysis {
  tni_trace *trace;
  tni_names names;
  tni_path *paths;  // [0]: unused
  size_t path_count, path_room;
  uint32_t *path_of;  // by node: its first path
  tni_site *sites;    // [0]: events without a stack
  size_t site_count, site_room;
  uint32_t *site_of;   // by frame: its site
  tni_map lines;       // by hash of function and file, and line: its site
  tni_series *series;  // [0]: unused
  size_t series_count, series_room;
  tni_bucket buckets[TNI_BUCKETS];
  uint64_t bucket_ns;  // width
  uint32_t bucket;     // now
  uint64_t instant_ns[TNI_INSTANTS];
  uint64_t begin_ns, end_ns;
  tni_heapmap map;
  tni_mismatch mismatches[TNI_MISMATCHES];
  size_t mismatch_count;
  tni_totals totals;
  /* While events come in. */
  uint32_t weighed;  // sampled blocks that got a weight
  uint32_t epoch;
  uint32_t *dirty;
  size_t dirty_count, dirty_room;
  tni_blocks blocks;
  tni_thread_state *threads;
  tni_resident resident;
  tni_resident_parts parts;  // at the last sample, or end of a process
  tni_pools pools;
  tni_contexts contexts;
  const tni_suppress *suppress;  // NULL: none
  uint8_t *suppressed;           // by frame: 0 not asked yet, 1 no, 2 yes
} tni_analysis;

/* Analyse a whole trace.
 *
 *   out      to be given to tni_analysis_close
 *   suppress which leaks not to tell, until it is closed; NULL: tell all
 *   problem  one line when there is nothing to analyse
 */
tn_status tni_analysis_open(tni_analysis **out, const char *path,
                            const tni_suppress *suppress, char *problem,
                            size_t size);
void tni_analysis_close(tni_analysis *a);

/* One event more (for tests, and for those who read the trace themselves). */
tni_analysis *tni_analysis_create(tni_trace *trace);
void tni_analysis_add(tni_analysis *a, const tni_trace_event *event);
/* No more events: settle what is lazy. */
void tni_analysis_finish(tni_analysis *a);

/* The live bytes of a path at an instant. */
uint64_t tni_analysis_at(const tni_analysis *a, const tni_path *path,
                         uint32_t instant);

bool tni_analysis_is_valid(const tni_analysis *a);

#endif
