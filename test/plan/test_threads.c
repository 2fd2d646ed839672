/* test_threads.c -- the same plan on any number of threads
 *
 * Tags  [plan.same]
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include <tenure/plan.h>

#include "../../cmd/crew.c"
#include "oracle.h"

enum { BUFFERS = 200, JOBS = 1000 };

typedef struct counts {
  int done[JOBS];
} counts;

static void
count(void *argument, size_t index)
{
  counts *const c = argument;
  c->done[index]++;
}

/* Every index once, run after run. */
static void
test_crew(size_t threads)
{
  static cmd_crew crew;
  counts c = {{0}};
  cmd_crew_begin(&crew, threads);
  for (size_t runs = 0; runs < 50; runs++)
    cmd_crew_run(&crew, count, &c, runs % 2 ? JOBS : 3);
  cmd_crew_end(&crew);
  for (size_t i = 0; i < JOBS; i++)
    if (!TEST(c.done[i] == (i < 3 ? 50 : 25)))
      break;
}

static void
execute(void *context, void (*job)(void *argument, size_t index),
        void *argument, size_t jobs)
{
  cmd_crew_run(context, job, argument, jobs);
}

static uint64_t spent;

static void
test_same(uint64_t *state)
{
  static cmd_crew crew;
  static unsigned char scratch[1 << 24];
  static int64_t offsets[BUFFERS], first[BUFFERS];
  tn_plan_buffer b[BUFFERS];
  tn_plan_problem p = {.buffers = b};
  const int64_t box[4] = {0, 400, 0, 5000};
  oracle_cut(b, &p.count, BUFFERS, box, state);
  for (size_t threads = 0; threads < 9; threads = threads * 2 + 1) {
    tn_plan_result r = {.offsets = offsets};
    cmd_crew_begin(&crew, threads);
    const tn_plan_options options = {.scratch = scratch,
                                     .scratch_size = sizeof scratch,
                                     .nodes = 20000,
                                     .seed = 7,
                                     .execute = threads ? execute : NULL,
                                     .context = &crew};
    TEST(tn_plan_solve(&p, &options, &r) == TN_OK);
    cmd_crew_end(&crew);
    if (threads == 0)
      memcpy(first, offsets, p.count * sizeof *first);
    spent += r.nodes;
    TEST(memcmp(first, offsets, p.count * sizeof *first) == 0);
  }
}

int
main(void)
{
  uint64_t state = test_seed();
  for (size_t threads = 0; threads < 10; threads += 3)
    test_crew(threads);
  for (int i = 0; i < 4; i++)
    test_same(&state);
  TEST(spent >= 20000);  // so that the threads had work
  return test_done();
}
