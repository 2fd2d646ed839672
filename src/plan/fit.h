/* fit.h -- one item after the other into the first or best hole
 *
 * The tier for many buffers: no conflict graph.  A tree over the sections
 * keeps two sets of address intervals a node: `any`, the union of all items
 * that touch the node's sections, and `cover`, the union of those that cover
 * them all.  What is taken during a span is the union of O(log sections) of
 * these sets, and unions of packed items are few and long, so that finding a
 * hole is a handful of jumps.
 *
 * It is not a search: nothing is ever moved.  See improve.h.
 *
 * Invariants
 *   [fit.sets]   the intervals of a set are disjoint, not adjacent, ascending.
 * Failure   false when memory ends; the plan is then unspecified.
 * Design    doc/design/plan.md      Tests  test/plan/test_plan.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLAN_FIT_H
#define TNI_PLAN_FIT_H

#include "plan/plan.h"

typedef enum tni_fit_rule {
  TNI_FIT_FIRST,  // the lowest hole
  TNI_FIT_BEST,   // the hole that it leaves the smallest rest of
} tni_fit_rule;

struct tni_solver;

typedef struct tni_fit_set {
  struct tni_fit_span *span;  // ascending
  uint32_t count, room;
} tni_fit_set;

typedef struct tni_fit {
  const tni_plan_model *model;
  tni_plan_memory *memory;
  tni_fit_set *any, *cover;  // of node 1 .. 2 * leaves - 1
  uint32_t leaves;           // a power of two
  int64_t ceiling;           // what would end above is refused
} tni_fit;

/* An empty memory for the model's items. */
bool tni_fit_init(tni_fit *fit, const tni_plan_model *model,
                  tni_plan_memory *memory);

/* Put the item at the offset, which the caller knows to be free. */
bool tni_fit_put(tni_fit *fit, uint32_t item, int64_t offset);

/* The offset where the item goes by the rule; -1: above the ceiling. */
int64_t tni_fit_find(const tni_fit *fit, uint32_t item, tni_fit_rule rule);

/* Whether the item can have that offset. */
bool tni_fit_is_free(const tni_fit *fit, uint32_t item, int64_t offset);

/* Place all items of the solver's model, fixed ones first, then in the order
 * given.  height receives the height, or -1 when an item did not go below the
 * ceiling or a fixed one not where it must, or it is late and there is a plan. */
bool tni_fit_all(struct tni_solver *s, const uint32_t *order, tni_fit_rule rule,
                 int64_t ceiling, int64_t *offset, int64_t *height);

#endif
