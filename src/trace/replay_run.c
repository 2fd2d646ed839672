/* replay_run.c -- doing the operations of a tape; see replay_run.h
 *
 * In a child process, on a thread of its own, so that glibc gives it a heap
 * that is as new as a program's.  Once with accounts, which are kept outside
 * that heap, three times for the time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace/replay_run.h"

enum { RUN_ROUNDS = 3 };

/* ---- Operations ------------------------------------------------------------ */

static bool
run_is_on_heap(const tni_run_block *b)
{
  return b->place == TNI_RUN_ON_HEAP || b->place == TNI_RUN_ON_OWN;
}

static void
run_alloc(tni_run_state *s, const tni_replay_op *op)
{
  tni_run_block *const b = &s->blocks[op->block];
  const tni_plan *const plan = s->plan_of[op->site];
  b->size = op->size;
  b->site = op->site;
  b->place =
      plan ? tni_run_by_plan(s, plan, op->what >> 4, b) : TNI_RUN_NOWHERE;
  if (b->place == TNI_RUN_NOWHERE) {
    b->p = malloc(b->size ? b->size : 1);
    if (b->p == NULL)
      return;
    b->place = TNI_RUN_ON_HEAP;
  }
  if (s->has_accounts && run_is_on_heap(b)) {
    tni_run_note_alloc(s, b);
    if ((op->what & 15) == TNI_REPLAY_ALLOC_BY_RESIZE)
      s->result.instructions += TNI_RUN_HEAP_BY_RESIZE;
    tni_run_note_block(s, b, true);
  }
  *(volatile unsigned char *)b->p = 1;
}

static void
run_free(tni_run_state *s, const tni_replay_op *op, bool is_call)
{
  tni_run_block *const b = &s->blocks[op->block];
  if (s->has_accounts && run_is_on_heap(b)) {
    if (is_call)
      tni_run_note_free(s, b);
    tni_run_note_block(s, b, false);
  }
  if (b->place == TNI_RUN_ON_OWN)
    tn_heap_free_any(b->p);
  else if (b->place == TNI_RUN_ON_HEAP)
    free(b->p);
  else
    tni_run_leave(s, b);
  b->place = TNI_RUN_NOWHERE;
}

/* Only blocks of heaps grow: plans for other disciplines are made for sites
 * that never resize. */
static void
run_resize(tni_run_state *s, const tni_replay_op *op)
{
  tni_run_block *const b = &s->blocks[op->block];
  const tni_plan *const plan = s->plan_of[b->site];
  const bool has_room = plan && plan->way == TNI_WAY_GROW;
  if (!run_is_on_heap(b) || (has_room && op->size <= b->size))
    return;
  if (s->has_accounts)
    tni_run_note_block(s, b, false);
  b->size = op->size;
  if (has_room && op->size < UINT32_MAX / 2)
    b->size = op->size * 2;
  const size_t size = b->size ? b->size : 1;
  void *const p = b->place == TNI_RUN_ON_OWN
                      ? tn_heap_reallocate(NULL, b->p, size, TN_ALIGN).pointer
                      : realloc(b->p, size);
  b->p = p ? p : b->p;
  if (s->has_accounts) {
    tni_run_note_block(s, b, true);
    s->result.calls++;
    s->result.instructions += TNI_RUN_HEAP_RESIZE;
  }
}

/* ---- Runs ------------------------------------------------------------------ */

/* [replay.same]: what is done depends on the tape and the plans only. */
static void
run_tape(tni_run_state *s)
{
  const tni_replay_op *const end = s->r->ops + s->r->count;
  for (const tni_replay_op *op = s->r->ops; op < end && !s->is_over; op++) {
    const uint32_t thread = op->what >> 4;
    s->thread = thread;
    switch ((tni_replay_kind)(op->what & 15)) {
    case TNI_REPLAY_ALLOC:
    case TNI_REPLAY_ALLOC_BY_RESIZE: run_alloc(s, op); break;
    case TNI_REPLAY_FREE: run_free(s, op, true); break;
    case TNI_REPLAY_RESIZE: run_resize(s, op); break;
    case TNI_REPLAY_DROP: run_free(s, op, false); break;
    case TNI_REPLAY_BEGIN: tni_run_begin(s, thread, op->site); break;
    case TNI_REPLAY_END: tni_run_end(s, thread, op->site); break;
    case TNI_REPLAY_TURN: tni_run_turn(s, thread, op->site); break;
    case TNI_REPLAY_TICK:
      if (s->has_accounts)
        tni_run_note_tick(s);
      break;
    }
  }
}

/* What the tape has left: nothing, if it holds the whole run. */
static void
run_clear(tni_run_state *s)
{
  for (uint32_t i = 0; i < s->r->block_count; i++) {
    const tni_replay_op op = {.block = i};
    if (s->blocks[i].place != TNI_RUN_NOWHERE)
      run_free(s, &op, false);
  }
  for (uint32_t t = 0; t < s->r->thread_count; t++)
    for (uint32_t i = 0; i < s->r->scope_count; i++)
      while (tni_run_arena_of(s, t, i)->depth > 0)
        tni_run_end(s, t, i);
}

/* Of this thread: others may have the machine in between. */
static uint64_t
run_clock_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
run_choose(tni_run_state *s, const bool *chosen)
{
  for (size_t p = 0; chosen && p < s->r->plan_count; p++) {
    const tni_plan *const plan = &s->r->plans[p];
    if (!chosen[p])
      continue;
    s->plan_of[plan->site] = plan;
    if (tni_way_is_scoped(plan->way))
      s->is_used[plan->scope] = 1;
  }
}

/* What is taken of a tape. */
enum { RUN_COUNT = 1, RUN_TIME = 2 };

typedef struct run_task {
  unsigned what;
  uint64_t most_peak;
} run_task;

typedef struct run_job {
  const tni_replay *replay;
  const bool *chosen;
  run_task task;
  tni_replay_result result;
} run_job;

static void
run_count(tni_run_state *s)
{
  s->has_accounts = true;
  run_tape(s);
  tni_run_note_end(s);
  if (!s->is_over)
    run_clear(s);
  s->has_accounts = false;
}

static uint64_t
run_time_ns(tni_run_state *s)
{
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < RUN_ROUNDS; round++) {
    const uint64_t start = run_clock_ns();
    run_tape(s);
    const uint64_t took = run_clock_ns() - start;
    best = took < best ? took : best;
    run_clear(s);
  }
  return best;
}

static void *
run_thread(void *argument)
{
  tni_run_state *const s = argument;
  if (s->what & RUN_COUNT)
    run_count(s);
  tni_replay_result result = s->result;
  if (s->what & RUN_TIME)
    result.ns = run_time_ns(s);
  result.is_good = !s->is_over;
  s->result = result;
  return NULL;
}

static void
run_child(void *argument)
{
  run_job *const job = argument;
  const tni_replay *const r = job->replay;
  tni_run_state s = {
      .r = r, .what = job->task.what, .most_peak = job->task.most_peak};
  const size_t sites = r->site_count, scopes = r->scope_count;
  s.plan_of = tni_store_get(sites, sizeof(void *));
  s.is_used = tni_store_get(scopes, 1);
  s.blocks = tni_store_get(r->block_count, sizeof *s.blocks);
  s.arenas = tni_store_get((size_t)r->thread_count * scopes, sizeof *s.arenas);
  s.regions = tni_store_get(sites, sizeof *s.regions);
  s.pools = tni_store_get(sites, sizeof *s.pools);
  s.rings = tni_store_get(sites, sizeof *s.rings);
  s.cached = tni_store_get(r->thread_count, sizeof *s.cached);
  s.heaps = tni_store_get(sites, sizeof(void *));
  s.pages = tni_store_get(TNI_RUN_SPANS, sizeof *s.pages);
  run_choose(&s, job->chosen);
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_thread, &s) == 0)
    pthread_join(thread, NULL);
  job->result = s.result;
}

bool
tni_replay_apart(void (*run)(void *state), void *state, void *result,
                 size_t size)
{
  int ends[2];
  if (pipe(ends) != 0)
    return false;
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run(state);
    _exit(write(ends[1], result, size) != (ssize_t)size);
  }
  close(ends[1]);
  bool is_whole = false;
  if (child > 0) {
    is_whole = read(ends[0], result, size) == (ssize_t)size;
    int status;
    waitpid(child, &status, 0);
  }
  close(ends[0]);
  return is_whole;
}

static tni_replay_result
run_fork(const tni_replay *replay, const bool *chosen, run_task task)
{
  run_job job = {replay, chosen, task, {0}};
  if (!tni_replay_apart(run_child, &job, &job.result, sizeof job.result))
    job.result.is_good = false;
  return job.result;
}

tni_replay_result
tni_replay_run(const tni_replay *replay, const bool *chosen)
{
  return run_fork(replay, chosen, (run_task){RUN_COUNT | RUN_TIME, UINT64_MAX});
}

tni_replay_result
tni_replay_count(const tni_replay *replay, const bool *chosen,
                 uint64_t most_peak)
{
  return run_fork(replay, chosen, (run_task){RUN_COUNT, most_peak});
}

tni_replay_result
tni_replay_time(const tni_replay *replay, const bool *chosen)
{
  return run_fork(replay, chosen, (run_task){RUN_TIME, UINT64_MAX});
}
