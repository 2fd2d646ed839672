/* solver.h -- one run of the planner: the best plan so far, bound and budget
 *
 * Every method offers its plans to the solver, which keeps the best, tells
 * the caller, and says when to stop.
 *
 * Height only falls and bound only rises: see plan.anytime in <tenure/plan.h>.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLAN_SOLVER_H
#define TNI_PLAN_SOLVER_H

#include "plan/fit.h"
#include "plan/plan.h"

typedef struct tni_solver {
  const tn_plan_options *options;  // const
  tni_plan_memory *memory;
  const tn_plan_problem *problem;
  tni_plan_model *model;   // of the call under way
  const uint32_t *leader;  // of a buffer: whose offset it takes; NULL: its own
  tn_plan_result *result;
  int64_t capacity;   // const: nothing above counts as fitting
  int64_t *best;      // of an item: its offset in the best plan
  int64_t height;     // of the best plan; -1: none
  int64_t bound;      // proved
  int64_t published;  // height of the plan in result->offsets; -1: none
  int64_t least;      // a bound of the whole when the model is one of several
  uint64_t nodes, nodes_stop;  // the latter 0: no limit
  uint64_t deadline;           // as options->clock counts
  bool is_rough;               // the model's bounds are not the problem's
  bool is_late;                // the deadline has passed
  bool is_cancelled;           // by the caller
  bool is_infeasible;          // proved: nothing fits into the capacity
} tni_solver;

/* Whether to go on: budget, deadline, the caller's wish, and whether there is
 * anything left to gain. */
bool tni_solver_goes_on(tni_solver *s);

/* Whether the deadline has passed or the caller wants an end. */
bool tni_solver_is_late(tni_solver *s);

/* A plan whose height is known to be right.  Kept when it is lower. */
void tni_solver_offer(tni_solver *s, const int64_t *offset, int64_t height);

/* No plan is below `bound` (proved by search). */
void tni_solver_raise(tni_solver *s, int64_t bound);

/* Whether the goal is reached. */
bool tni_solver_is_done(const tni_solver *s);

/* ---- the methods, each until it has nothing more to try ---- */

/* First and best fit in the few orders that are best most often, or in all
 * others (greedy.c).  False: out of memory before there was any plan. */
bool tni_greedy(tni_solver *s, bool is_first);

/* Lower the best plan by ejection, at most so many steps for each target
 * (improve.c). */
void tni_improve(tni_solver *s, uint64_t steps);

/* Add an item to the result's conflict (conflict.c). */
void tni_conflict_add(tni_solver *s, uint32_t item);

/* Shrink the conflict of a search that proved the capacity too small, as far
 * as the budget allows (conflict.c). */
void tni_conflict_search(tni_solver *s);

/* Plan with several pools (pool.c); the status is in the result. */
tn_status tni_pool_solve(tni_solver *s);

/* Whether the fixed items contradict one another or the capacity; if so, the
 * conflict is in the result (conflict.c). */
bool tni_conflict_fixed(tni_solver *s);

/* The result's conflict when the load is above the capacity (conflict.c). */
void tni_conflict_load(tni_solver *s);

/* Plan the buffers with use[buffer] (NULL: all), grouped by s->leader. */
tn_status tni_solve_model(tni_solver *s, const bool *use);

/* Plan with pairs that may share (share.c). */
tn_status tni_share_solve(tni_solver *s);

/* item[buffer] of a model in which each buffer is on its own, or NONE. */
void tni_share_items(const tni_plan_model *model, size_t count, uint32_t *item);

/* The load when each pair counts with the larger; load[section] receives it,
 * peak where it is largest. */
int64_t tni_share_load(const tni_plan_model *model,
                       const tn_plan_problem *problem, const uint32_t *item,
                       int64_t *load, uint32_t *peak);

/* The exact search at falling and rising capacities, for about so many nodes
 * (exact.c). */
void tni_exact(tni_solver *s, uint64_t nodes);

#endif
