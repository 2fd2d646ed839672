/* hooks_thread.c -- where threads begin and end; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "record/hooks.h"

/* What a new thread gets from the one that makes it. */
typedef struct thread_start {
  void *(*fn)(void *);
  void *argument;
  uint32_t maker;
  uint32_t stack;
} thread_start;

static pthread_key_t thread_key;
static uint32_t thread_key_state;  // 0 none, 1 being made, 2 made

/* Thread data is destroyed in rounds; ours waits for the last one, as other
 * libraries' destructors free memory too. */
static void
thread_at_end(void *rounds)
{
  const uintptr_t round = (uintptr_t)rounds;
  if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
    (void)pthread_setspecific(thread_key, (void *)(round + 1));
    return;
  }
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t == NULL)
    return;
  tni_record_other(t, TN_TRACE_THREAD_CLOSE, NULL, 0);
  tni_record_end_thread(t);
}

static void
thread_make_key(void)
{
  uint32_t none = 0;
  if (!__atomic_compare_exchange_n(&thread_key_state, &none, 1, false,
                                   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  if (pthread_key_create(&thread_key, thread_at_end) == 0)
    __atomic_store_n(&thread_key_state, 2, __ATOMIC_RELEASE);
}

static void *
thread_main(void *argument)
{
  const thread_start start = *(thread_start *)argument;
  tni_record_real.free(argument);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t != NULL) {
    const uint64_t fields[] = {start.stack, start.maker};
    tni_record_other(t, TN_TRACE_THREAD_OPEN, fields, 2);
    if (__atomic_load_n(&thread_key_state, __ATOMIC_ACQUIRE) == 2)
      (void)pthread_setspecific(thread_key, (void *)1);
    tni_record_leave(t);
  }
  return start.fn(start.argument);
}

/* From now on ticks are fine enough to order threads by; the caller's next
 * record begins a chunk with them. */
static void
thread_become_many(record_thread *t)
{
  tni_record.has_threads = true;
  tni_record.tick_log2 = RECORD_TICK_FINE;
  if (t->tick_log2 != RECORD_TICK_FINE)
    t->limit = t->at;
}

RECORD_HOOK int
pthread_create(pthread_t *out, const pthread_attr_t *attributes,
               void *(*fn)(void *), void *argument)
{
  typedef int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                        void *);
  static create known;
  create real = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (real == NULL) {
    void *const found = tni_record_next("pthread_create");
    memcpy(&real, &found, sizeof real);
    __atomic_store_n(&known, real, __ATOMIC_RELAXED);
  }
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t == NULL)
    return real(out, attributes, fn, argument);
  thread_start *const start = tni_record_real.malloc(sizeof *start);
  if (start == NULL) {
    tni_record_leave(t);
    return EAGAIN;
  }
  thread_become_many(t);
  thread_make_key();
  *start =
      (thread_start){fn, argument, t->number,
                     tni_record_where(t, RECORD_SLOT, RECORD_BP,
                                      TN_TRACE_API_THREAD, tni_record.depth)};
  tni_record_leave(t);
  const int status = real(out, attributes, thread_main, start);
  if (status != 0)
    tni_record_real.free(start);
  return status;
}
