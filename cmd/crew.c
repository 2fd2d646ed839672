/* crew.c -- threads that call a function for each index (see crew.h)
 * SPDX-License-Identifier: MIT
 */
#include "crew.h"

/* Do one index of the run; the lock is held before and after. */
static void
crew_step(cmd_crew *c)
{
  void (*const job)(void *argument, size_t index) = c->job;
  void *const argument = c->argument;
  const size_t index = c->next++;
  pthread_mutex_unlock(&c->lock);
  job(argument, index);
  pthread_mutex_lock(&c->lock);
  if (++c->finished == c->count)
    pthread_cond_signal(&c->done);
}

static void *
crew_work(void *argument)
{
  cmd_crew *const c = argument;
  pthread_mutex_lock(&c->lock);
  while (!c->is_over)
    if (c->next < c->count)
      crew_step(c);
    else
      pthread_cond_wait(&c->begun, &c->lock);
  pthread_mutex_unlock(&c->lock);
  return NULL;
}

void
cmd_crew_begin(cmd_crew *c, size_t threads)
{
  *c = (cmd_crew){.workers = 0};
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->begun, NULL);
  pthread_cond_init(&c->done, NULL);
  while (c->workers + 1 < threads && c->workers + 1 < CMD_CREW_MAX &&
         pthread_create(&c->thread[c->workers], NULL, crew_work, c) == 0)
    c->workers++;
}

void
cmd_crew_run(cmd_crew *c, void (*job)(void *argument, size_t index),
             void *argument, size_t count)
{
  pthread_mutex_lock(&c->lock);
  c->job = job;
  c->argument = argument;
  c->next = c->finished = 0;
  c->count = count;
  pthread_cond_broadcast(&c->begun);
  while (c->next < count)
    crew_step(c);
  while (c->finished < count)
    pthread_cond_wait(&c->done, &c->lock);
  pthread_mutex_unlock(&c->lock);
}

void
cmd_crew_end(cmd_crew *c)
{
  pthread_mutex_lock(&c->lock);
  c->is_over = true;
  pthread_cond_broadcast(&c->begun);
  pthread_mutex_unlock(&c->lock);
  while (c->workers > 0)
    pthread_join(c->thread[--c->workers], NULL);
  pthread_cond_destroy(&c->done);
  pthread_cond_destroy(&c->begun);
  pthread_mutex_destroy(&c->lock);
}
