/* arm.h -- what the page asks of an arm of the physics engine
 *
 * Included by web/arm_*.c after the arm's own source and a definition of
 * ARM_STEP(world), one step of it.
 *
 * Threads  one.    Tests  test/web/test_page.py
 * SPDX-License-Identifier: MIT
 */
#define ARM_EXPORT(name) __attribute__((export_name(#name))) name

static physics_world arm_shown;
static physics_world arm_measured;

/* Back to the first state, in both worlds. */
void ARM_EXPORT(page_restart)(void);
void
page_restart(void)
{
  workload_open(2);
  physics_begin(&arm_shown);
  physics_begin(&arm_measured);
}

/* Let the world that is drawn go on. */
void ARM_EXPORT(page_step)(uint32_t steps);
void
page_step(uint32_t steps)
{
  for (uint32_t i = 0; i < steps; i++)
    ARM_STEP(&arm_shown);
}

/* The same in the world that is only measured, over the same first 1,000
 * steps again and again. */
void ARM_EXPORT(page_measure)(uint32_t steps);
void
page_measure(uint32_t steps)
{
  static uint32_t done;
  for (uint32_t i = 0; i < steps; i++) {
    if (done++ % 1000 == 0)
      physics_begin(&arm_measured);
    ARM_STEP(&arm_measured);
  }
}

const float *ARM_EXPORT(page_positions)(void);
const float *
page_positions(void)
{
  return arm_shown.position[0];
}

uint32_t ARM_EXPORT(page_contacts)(void);
uint32_t
page_contacts(void)
{
  return arm_shown.contacts;
}

/* The hash after so many steps from the beginning. */
uint64_t ARM_EXPORT(page_hash)(uint32_t steps);
uint64_t
page_hash(uint32_t steps)
{
  workload_open(2);
  return workload_run(steps);
}
