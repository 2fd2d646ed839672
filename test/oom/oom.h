/* oom.h -- each call of the system fails once, and nothing is the worse for it
 *
 * oom_run(scenario) runs a scenario on the fake system with the first call
 * failing, then the second, and so on until none is left to fail: once so that
 * the call succeeds when tried again, once so that everything fails from there
 * on.  After each:
 *
 *   - the scenario said false, unless it can do without that call, and has
 *     given everything back itself;
 *   - run again without failures, it passes: nothing was broken;
 *   - as much memory is out as after a run that never failed: nothing leaked;
 *   - nothing was written outside committed pages.
 *
 * Each run is a process of its own, so that a module's first call, with its
 * tables not yet there, is among those that fail.
 * Source  SQLite's fault simulation, Lua's alloccount, libuv's loop_init_oom.
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_OOM_H
#define TEST_OOM_H

#include <unistd.h>

#include "../os/child.h"
#include "os/os_fake.h"

/* returns true when it did all that it is about; false when it was refused
 * memory, and then it has given back what it got before. */
typedef bool oom_scenario(void);

static struct {
  oom_scenario *scenario;
  size_t nth;
  bool for_ever;
  int report;  // where the child says whether a call failed, and what is out
} oom;

typedef struct oom_result {
  size_t failures;
  tni_fake_use use;
} oom_result;

static void
oom_child(void)
{
  oom_result result = {0};
  tni_fake_fail(TNI_FAKE_TAKING, oom.nth, oom.for_ever);
  const bool passed = oom.scenario();
  result.failures = tni_fake_get_failures();
  TEST(passed || result.failures > 0);
  TEST(tni_fake_find_stray() == NULL);
  tni_fake_fail(TNI_FAKE_TAKING, 0, false);
  TEST(oom.scenario());
  TEST(tni_fake_find_stray() == NULL);
  result.use = tni_fake_get_use();
  TEST(write(oom.report, &result, sizeof result) == (ssize_t)sizeof result);
}

static oom_result
oom_once(oom_scenario *scenario, size_t nth, bool for_ever)
{
  oom_result result = {0};
  int ends[2];
  if (!TEST(pipe(ends) == 0))
    return result;
  oom.scenario = scenario;
  oom.nth = nth;
  oom.for_ever = for_ever;
  oom.report = ends[1];
  if (!TEST(child_passes(oom_child)))
    fprintf(stderr, "  failing call %zu%s\n", nth,
            for_ever ? " and all that follow" : "");
  else
    TEST(read(ends[0], &result, sizeof result) == (ssize_t)sizeof result);
  close(ends[0]);
  close(ends[1]);
  return result;
}

/* returns how many calls there were to fail. */
static inline size_t
oom_run(oom_scenario *scenario)
{
  enum { TOO_MANY = 2000 };
  size_t calls = 0;
  const oom_result good = oom_once(scenario, 0, false);
  for (int for_ever = 0; for_ever < 2; for_ever++)
    for (size_t nth = 1; nth < TOO_MANY && test_state.failures == 0; nth++) {
      const oom_result result = oom_once(scenario, nth, for_ever);
      if (result.failures == 0)
        break;
      calls++;
      if (!TEST(memcmp(&result.use, &good.use, sizeof good.use) == 0))
        fprintf(stderr,
                "  leak after failing call %zu%s: %zu bytes reserved, "
                "%zu without a failure\n",
                nth, for_ever ? " and all that follow" : "",
                result.use.reserved, good.use.reserved);
    }
  return calls;
}

#endif
