/* blind_workers.c -- threads: jobs that cross, room for each turn, results
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { JOBS = 1500 };
static char *jobs[JOBS];
static char *results[JOBS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int next_job;

SITE void
make_job(int i)
{
  const unsigned size = 30 + below(300);
  jobs[i] = use(malloc(size), size);  // truth: heap
}

SITE char *
part_of(unsigned size)
{
  return use(malloc(size), size);  // truth: scratch in do_job
}

SITE void
keep_result(int i)
{
  const unsigned size = 8 + (unsigned)(i * 37) % 500;
  results[i] = use(malloc(size), size);  // truth: heap
}

SITE void
do_job(int i)
{
  char *parts[6];
  for (unsigned k = 0; k < 6; k++)
    parts[k] = part_of(30 + ((unsigned)i * 31 + k * 17) % 90);
  keep_result(i);
  for (int k = 0; k < 6; k++)
    free(parts[(k * 5) % 6]);
  free(jobs[i]);
  corpus_sum++;
}

static void *
work(void *unused)
{
  for (;;) {
    pthread_mutex_lock(&lock);
    const int i = next_job++;
    pthread_mutex_unlock(&lock);
    if (i >= JOBS)
      return unused;
    do_job(i);
  }
}

int
main(void)
{
  pthread_t threads[3];
  for (int i = 0; i < JOBS; i++)
    make_job(i);
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  for (int i = JOBS - 1; i >= 0; i--)
    free(results[(i * 7) % JOBS]);
  return 0;
}
