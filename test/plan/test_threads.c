/* test_threads.c -- the same plan on any number of threads
 *
 * Tags  [plan.same]
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tenure/plan.h>

static size_t joined;

static int
join_counted(pthread_t thread, void **result)
{
  joined++;
  return pthread_join(thread, result);
}

#define pthread_join join_counted  // NOLINT(readability-identifier-naming)
#include "../../cmd/crew.c"
#undef pthread_join
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

/* Each job waits until all have begun, then takes its time. */
typedef struct meeting {
  atomic_size_t begun, ended;
  size_t count;
  atomic_bool is_late;
} meeting;

static void
meet_sleep(long ms)
{
  nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void
meet(void *argument, size_t index)
{
  meeting *const m = argument;
  atomic_fetch_add(&m->begun, 1);
  for (int i = 0; i < 10000 && atomic_load(&m->begun) < m->count; i++)
    meet_sleep(1);
  if (atomic_load(&m->begun) < m->count)
    atomic_store(&m->is_late, true);
  meet_sleep(5 * (long)index);
  atomic_fetch_add(&m->ended, 1);
}

/* As many at once as asked for, all done when run returns, all joined when end
 * does; never more than there is room for. */
static void
test_meeting(void)
{
  static cmd_crew crew;
  for (size_t threads = 1; threads < 5; threads++) {
    meeting m = {.count = threads};
    joined = 0;
    cmd_crew_begin(&crew, threads);
    cmd_crew_run(&crew, meet, &m, threads);
    TEST(atomic_load(&m.ended) == threads && !atomic_load(&m.is_late));
    cmd_crew_end(&crew);
    TEST(joined == threads - 1 && crew.workers == 0);
  }
  cmd_crew_begin(&crew, 1000);
  TEST(crew.workers == CMD_CREW_MAX - 1);
  cmd_crew_end(&crew);
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
  test_meeting();
  for (int i = 0; i < 4; i++)
    test_same(&state);
  TEST(spent >= 20000);  // so that the threads had work
  return test_done();
}
