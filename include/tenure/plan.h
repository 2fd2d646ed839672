/* plan.h -- the static planner: memory decided before the run
 *
 * Buffers whose lifetimes are known in advance (tensors of a network, buffers
 * of a frame, a recorded phase of a program) get fixed offsets, so that those
 * alive at the same time are disjoint and the height, the bytes needed in all,
 * is as small as can be.  Nothing is allocated for the caller here: the answer
 * is a table of offsets.
 *
 *     address
 *       ^   +------+  +-----------+
 *       |   |  B   |  |     D     |      height = top of the highest
 *       |   +------+--+----+------+      load   = most bytes alive at once
 *       |   |      A       |  C   |              (no plan is below it)
 *       +---+--------------+------+--> time
 *
 * Invariants
 *   [plan.disjoint]   buffers alive at the same instant share no byte.
 *   [plan.align]      each offset is a multiple of its buffer's alignment.
 *   [plan.fixed]      a fixed buffer has the offset asked for.
 *   [plan.bound]      lower_bound <= height of every plan there is.
 *   [plan.anytime]    each plan reported is lower than the one before.
 *   [plan.same]       without a deadline the result depends only on problem,
 *                     goal, budget and seed: the same bytes on every platform,
 *                     with every executor.
 *   [plan.honest]     INFEASIBLE and OPTIMAL are proved; a search that ran out
 *                     says UNKNOWN or FEASIBLE.
 * Threads   re-entrant: no state outside the arguments.
 * Failure   a tn_status; TN_ENOMEM only when not even a first plan fits into
 *           the memory given (too little memory otherwise costs quality).
 * Design    doc/design/plan.md      Tests  test/plan/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_PLAN_H
#define TENURE_PLAN_H

#include <tenure/base.h>
#include <tenure/provider.h>

TN_BEGIN_DECLS

enum {
  TN_PLAN_FREE = -1,       // fixed: the planner chooses the offset
  TN_PLAN_MAX_POOLS = 16,  // pools of a problem
};

/* The largest size, load, capacity or fixed offset, and the largest magnitude
 * of an instant. */
#define TN_PLAN_MAX ((int64_t)1 << 62)

/* One buffer, alive in [lower, upper).  A buffer of no size or no lifetime
 * (or all of it gaps) takes no room and is accepted. */
typedef struct tn_plan_buffer {
  int64_t lower;  // first instant alive
  int64_t upper;  // first instant no longer alive, lower <= upper
  int64_t size;   // bytes, 0 to TN_PLAN_MAX
  int64_t align;  // the offset is a multiple of it (any number); 0 is 1
  int64_t fixed;  // the offset it must have, or TN_PLAN_FREE
} tn_plan_buffer;

/* Initialises a buffer without alignment or fixed offset. */
#define TN_PLAN_BUFFER(lower, upper, size)                                     \
  {                                                                            \
    (lower), (upper), (size), 1, TN_PLAN_FREE                                  \
  }

/* In [lower, upper) the buffer needs only its bytes [low, high), none when
 * these are equal: others may have the rest.  Where gaps of a buffer overlap,
 * the one that begins first (in the array, when they begin together) counts
 * until it ends. */
typedef struct tn_plan_gap {
  size_t buffer;
  int64_t lower, upper;
  int64_t low, high;  // 0 <= low <= high <= the buffer's size
} tn_plan_gap;

/* These two may share in place: though alive at the same time they may have
 * the same offset (the output of an operation over its input); otherwise they
 * are disjoint like any others. */
typedef struct tn_plan_share {
  size_t a, b;
} tn_plan_share;

/* One of several memories (fast and small, slow and large). */
typedef struct tn_plan_pool {
  int64_t capacity;  // bytes
  int64_t cost;      // of having one byte of a buffer there, 0 to 2^20
} tn_plan_pool;

/* What is to be planned.  The arrays stay the caller's and are only read. */
typedef struct tn_plan_problem {
  const tn_plan_buffer *buffers;
  size_t count;             // at most 2^30
  const tn_plan_gap *gaps;  // any order
  size_t gap_count;
  const tn_plan_share *shares;
  size_t share_count;
  /* With pools, capacity below is not used: buffers go to the first pools as
   * far as they fit, at the smallest sum of size * cost that is found; fixed
   * buffers are in pool 0, and shares are not made use of. */
  const tn_plan_pool *pools;
  size_t pool_count;  // 0: one memory; at most TN_PLAN_MAX_POOLS
  int64_t capacity;   // bytes; 0: as many as needed
} tn_plan_problem;

typedef enum tn_plan_goal {
  TN_PLAN_MINIMIZE,  // the lowest height that the budget allows
  TN_PLAN_FIT,       // stop at the first plan within the capacity
} tn_plan_goal;

/* What is known so far. */
typedef struct tn_plan_progress {
  int64_t height;          // of the best plan; -1: none yet
  int64_t lower_bound;     // no plan is below
  uint64_t nodes;          // of the search
  const int64_t *offsets;  // the best plan, valid during the call; or NULL
} tn_plan_progress;

/* How to plan.  Zero (TN_PLAN_OPTIONS) is a usable value of every field but
 * memory: either provider or scratch must be given. */
typedef struct tn_plan_options {
  tn_plan_goal goal;

  /* Working memory: from provider, or, when that is NULL, from scratch.  All
   * is given back on return.  memory_limit bounds it; 0: no limit. */
  tn_provider *provider;
  void *scratch;
  size_t scratch_size;
  size_t memory_limit;

  /* Budget: the search stops after so many nodes (0: no limit), or when clock
   * says deadline or later (clock NULL: no deadline).  With neither it runs
   * until it has proved its answer, which may be never. */
  uint64_t nodes;
  uint64_t (*clock)(void *context);
  uint64_t deadline;
  uint64_t seed;  // stirs the orders in which the search tries

  /* A plan to start from: an offset per buffer, or TN_PLAN_FREE for buffers
   * that it does not know.  It need not be valid.  NULL: none. */
  const int64_t *previous;

  /* Called after every better plan and every few thousand nodes, always on
   * the thread that called; returning false stops the search, which then
   * answers with what it has.  NULL: not called. */
  bool (*progress)(void *context, const tn_plan_progress *progress);

  /* Call job(argument, i) once for each i below count, on any threads in any
   * order, and return when all are done.  NULL: one after the other. */
  void (*execute)(void *context, void (*job)(void *argument, size_t index),
                  void *argument, size_t count);

  void *context;  // handed to clock, progress, execute
} tn_plan_options;

/* Initialises options: minimise, no limit, no memory yet. */
#define TN_PLAN_OPTIONS                                                        \
  {                                                                            \
    .goal = TN_PLAN_MINIMIZE                                                   \
  }

typedef enum tn_plan_status {
  TN_PLAN_OPTIMAL,     // fits, and no plan is lower (with pools: cheaper)
  TN_PLAN_FEASIBLE,    // fits; a lower plan may exist
  TN_PLAN_INFEASIBLE,  // proved: nothing fits into the capacity
  TN_PLAN_UNKNOWN,     // the budget ended first
} tn_plan_status;

/* The answer.  The caller sets the three arrays before the call. */
typedef struct tn_plan_result {
  int64_t *offsets;    // in: room for count
  uint32_t *pools;     // in: room for count, or NULL without pools
  uint32_t *conflict;  // in: room for count, or NULL: not wanted

  tn_plan_status status;
  /* Of the plan in offsets, the end of the highest byte that a buffer needs at
   * some instant; with INFEASIBLE or UNKNOWN it is above the
   * capacity: what would be needed.  -1: no plan (offsets are unspecified).
   * With pools the sum of the pools' heights. */
  int64_t height;
  int64_t lower_bound;
  int64_t cost;  // with pools: the sum of size * cost; otherwise 0

  /* The witness of the bound: when lower_bound is the load, the buffers alive
   * in [witness_lower, witness_upper) add up to it; when a search proved more,
   * witness_is_load is false and the interval is the part of the time that was
   * searched. */
  int64_t witness_lower, witness_upper;
  bool witness_is_load;

  /* INFEASIBLE: indexes of buffers that cannot be placed together;
   * conflict_is_irreducible: any one fewer can. */
  size_t conflict_count;
  bool conflict_is_irreducible;

  uint64_t nodes;     // spent by the search
  uint64_t recalled;  // of which known to fail, as others like them had
  size_t memory;      // most bytes of working memory held at once

  /* When the call failed: what is wrong (static text), and where. */
  const char *error;
  size_t error_index;  // of the buffer, gap, share or pool the text speaks of
} tn_plan_result;

/* Plan.
 *
 *   problem what to place
 *   options goal, memory, budget, callbacks
 *   result  its arrays set by the caller; all else is filled in
 *   returns TN_OK, whatever result->status says; TN_EINVAL (a lifetime that
 *           ends before it begins, an index out of range ...), TN_ERANGE (a
 *           number beyond TN_PLAN_MAX, or live sizes that add up to more),
 *           TN_ENOMEM: result->error and error_index say what and where, and
 *           the arrays are unspecified
 *   threads any number of calls at once
 *   cost    O(n log n) and more to a first plan, then as long as the budget
 *           allows; no system call but those of the callbacks
 */
TN_API TN_NODISCARD tn_status tn_plan_solve(const tn_plan_problem *problem,
                                            const tn_plan_options *options,
                                            tn_plan_result *result);

/* The load: the most bytes alive at once, sizes taken as they are; pairs that
 * may share count with the larger.
 *
 *   options only the memory fields are used
 *   load    receives the load, a lower bound of every height
 *   at      receives an instant at which it is reached, or NULL
 *   returns as tn_plan_solve
 *   threads any
 *   cost    O(n log n)
 */
TN_API TN_NODISCARD tn_status tn_plan_load(const tn_plan_problem *problem,
                                           const tn_plan_options *options,
                                           int64_t *load, int64_t *at);

/* What is wrong with a plan. */
typedef enum tn_plan_fault {
  TN_PLAN_FAULT_NONE,
  TN_PLAN_FAULT_OFFSET,    // first: negative, misaligned or not as fixed
  TN_PLAN_FAULT_OVERLAP,   // first and second: alive together, sharing a byte
  TN_PLAN_FAULT_CAPACITY,  // first ends above the capacity
  TN_PLAN_FAULT_POOL,      // first: no such pool
} tn_plan_fault;

typedef struct tn_plan_report {
  tn_plan_fault fault;
  size_t first, second;  // buffers
  int64_t height;        // of the plan, when there is no fault
} tn_plan_report;

/* Check a plan by code that shares nothing with the solver.
 *
 *   offsets one per buffer
 *   pools   the pool of each buffer; NULL without pools
 *   options only the memory fields are used
 *   report  receives the first fault found
 *   returns as tn_plan_solve; TN_OK also when the plan is wrong
 *   threads any
 *   cost    O(n log n), and n for each buffer in a share
 */
TN_API TN_NODISCARD tn_status tn_plan_verify(const tn_plan_problem *problem,
                                             const int64_t *offsets,
                                             const uint32_t *pools,
                                             const tn_plan_options *options,
                                             tn_plan_report *report);

/* The name of a status in lower case, for messages: "optimal" ...
 *
 *   returns static text; "unknown" for a value not in the enum
 *   threads any
 *   cost    O(1)
 */
TN_API const char *tn_plan_status_name(tn_plan_status status);

TN_END_DECLS
#endif
