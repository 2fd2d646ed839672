/* search.h -- the exact search: does everything fit below a capacity?
 *
 * Depth first over canonical plans: each item rests at the lowest offset that
 * those below allow, and items are placed in order of offset, ties by rank.
 * Numbers are 32-bit units (the greatest common divisor of all sizes,
 * alignments and fixed offsets).  Several engines, which differ in how they
 * rank the items, are advanced in turn; each keeps its own stack, so nothing
 * is searched twice because a turn ended.  With windows that cross the last
 * engine is another search: see window.c.
 *
 * Invariants
 *   [search.rest]    the rest of an unplaced item is the lowest aligned offset
 *                    above all placed items that it meets.
 *   [search.order]   items are placed in ascending (offset, position).
 *   [search.trail]   a frame that ends restores rest, totals and cuts to what
 *                    they were when it began.
 *   [search.failed]  a node is refused as known only when one that was the
 *                    same in all that its plans depend on has failed.
 *   [search.whole]   what is pruned has no plan, or is not canonical: some
 *                    item could be moved to a lower offset.
 * Threads   engines share only what is const; each may run on its own thread.
 * Failure   false when there is not enough memory.
 * Cost      O(items^2 + items * sections) a node at worst.
 * Source    MiniMalloc (Moffitt, ASPLOS 2023): canonical order, section
 *           inference, dominance, decomposition.  Ours: resumable engines, the
 *           floating-item rule, the release-date bound, memory of failures.
 * Design    doc/design/plan.md      Tests  test/plan/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLAN_SEARCH_H
#define TNI_PLAN_SEARCH_H

#include "plan/plan.h"

enum {
  TNI_SEARCH_ITEMS_MAX = 2000,  // above, the quadratic lists are too large
  TNI_SEARCH_ENGINES = 3,
};

typedef struct tni_search_piece {
  uint32_t s0, s1;
  int32_t size;
  int32_t base;  // its bytes are [base, base + size) of the item
} tni_search_piece;

/* The problem in units: const while engines run, but for the limits. */
typedef struct tni_search_problem {
  const tni_plan_model *model;
  int64_t unit;
  uint32_t count, sections;
  const int32_t *size;     // the largest piece, rounded up to the alignment
  const int32_t *align;    // of all: in units
  const int32_t *release;  // the fixed offset, or 0
  const bool *is_fixed;
  const uint32_t *s0, *s1;
  const uint32_t *first;
  const tni_search_piece *piece;
  const uint32_t *twin;  // an item like it that goes below it, or NONE
  int64_t grain;         // all offsets are multiples of it (bytes)
  int64_t capacity;      // bytes
  int32_t ceiling;       // no rounded item ends above it
  int32_t *latest;       // highest offset of each item
  /* Some two items can be one above the other at one instant and the other way
   * round later; then only the last engine is complete. */
  bool is_windowed;
} tni_search_problem;

typedef enum tni_search_state {
  TNI_SEARCH_RUNNING,
  TNI_SEARCH_SOLVED,
  TNI_SEARCH_EXHAUSTED,  // there is no plan, if the engine is complete
} tni_search_state;

typedef struct tni_engine tni_engine;

/* Prepare the problem; false when it is too large or memory ends. */
bool tni_search_init(tni_search_problem *p, const tni_plan_model *model,
                     tni_plan_memory *memory);

/* Set the capacity in bytes; engines must be restarted after it. */
void tni_search_limit(tni_search_problem *p, int64_t capacity);

/* The least height above its capacity that a plan can have. */
int64_t tni_search_next(const tni_search_problem *p);

/* Whether the engine of that order leaves out no plan. */
bool tni_search_is_complete(const tni_search_problem *p, unsigned order);

/* An engine for the problem, ranking items by order number `order`. */
tni_engine *tni_engine_create(const tni_search_problem *p, unsigned order,
                              tni_plan_memory *memory);

/* Begin anew at the problem's capacity; chance other than 0 stirs the order. */
void tni_engine_restart(tni_engine *engine, uint64_t chance);

/* Search on for about so many nodes. */
tni_search_state tni_engine_run(tni_engine *engine, uint64_t nodes);

/* Let the engine remember nodes that failed after `least` nodes or more, in so
 * many 32-bit words; false, and it remembers none, when there is not enough
 * memory.  To be restarted after it. */
bool tni_engine_remember(tni_engine *engine, uint32_t words, uint32_t least,
                         tni_plan_memory *memory);

/* Nodes since the engine was created. */
uint64_t tni_engine_nodes(const tni_engine *engine);

/* How often a node was known to fail. */
uint64_t tni_engine_recalled(const tni_engine *engine);

/* The plan of an engine that has solved the problem, in bytes. */
void tni_engine_offsets(const tni_engine *engine, int64_t *offset);

#endif
