/* planned_death.h -- a planned arena over static memory, for death tests
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_PLANNED_DEATH_H
#define TEST_PLANNED_DEATH_H

#include <tenure/planned.h>
#include <tenure/source.h>

/* Every block at its own place. */
static inline tn_status
death_solve(const tn_plan_problem *problem, const tn_plan_options *options,
            tn_plan_result *result)
{
  (void)options;
  result->height = 0;
  for (size_t i = 0; i < problem->count; i++) {
    result->offsets[i] = result->height;
    result->height += problem->buffers[i].size;
  }
  return TN_OK;
}

/* Begin a phase; the arena is made before the first. */
static inline void
death_begin(tn_planned *p, int phase)
{
  static unsigned char memory[1 << 18];
  static tn_fixed fixed;
  if (phase == 0) {
    tn_fixed_init(&fixed, memory, sizeof memory);
    tn_planned_init(p, &(tn_planned_options){.memory = &fixed.provider,
                                             .solve = death_solve});
  }
  tn_planned_begin(p);
}

#endif
