/* crew.h -- threads that call a function for each index, for tn_plan_options
 *
 *     caller   run: job 0 ........ job 2 ..... | all are done
 *     worker          job 1 ..................|
 *
 * Whoever is free takes the next index; the caller is one of them.  One run at
 * a time.
 *
 * Threads   the one that began the crew calls run and end.
 * Failure   fewer threads than asked for when the system refuses them.
 * Tests     test/plan/test_threads.c, test/plan/slow_same.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_CREW_H
#define TENURE_CMD_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { CMD_CREW_MAX = 64 };  // threads, with the caller

typedef struct cmd_crew {
  pthread_mutex_t lock;
  pthread_cond_t begun;                       // an index to take, or the end
  pthread_cond_t done;                        // all indexes are done
  void (*job)(void *argument, size_t index);  // lock
  void *argument;                             // lock
  size_t count, next, finished;               // lock: of the run
  bool is_over;                               // lock
  size_t workers;                             // owner
  pthread_t thread[CMD_CREW_MAX];             // owner
} cmd_crew;

/* Begin with so many threads, the caller among them. */
void cmd_crew_begin(cmd_crew *crew, size_t threads);

/* Call job(argument, i) for each i below count; returns when all are done. */
void cmd_crew_run(cmd_crew *crew, void (*job)(void *argument, size_t index),
                  void *argument, size_t count);

void cmd_crew_end(cmd_crew *crew);

#endif
