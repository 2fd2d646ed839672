/* threads.c -- rows of time with threads: work.h
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>

#include "work.h"

static void
with_threads(void *(*fn)(void *), int count)
{
  static int number[] = {1, 2, 3, 4, 5, 6, 7, 8};
  pthread_t thread[8];
  for (int i = 0; i < count; i++)
    pthread_create(&thread[i], NULL, fn, &number[i]);
  for (int i = 0; i < count; i++)
    pthread_join(thread[i], NULL);
}

enum { RING = 4096 };
static void *ring[RING];

static void *
produce_or_consume(void *id)
{
  uint64_t r = (uint64_t) * (const int *)id;
  const bool produces = *(const int *)id == 1;
  for (long i = 0; i < 4000000; i++) {
    void **const at = &ring[i % RING];
    if (produces) {
      void *p = get(16 + next(&r) % 200);
      while (__atomic_load_n(at, __ATOMIC_ACQUIRE))
        ;
      __atomic_store_n(at, p, __ATOMIC_RELEASE);
    } else {
      void *p;
      while (!(p = __atomic_exchange_n(at, NULL, __ATOMIC_ACQ_REL)))
        ;
      free(p);
    }
  }
  return NULL;
}

static void
row_prodcons(void)
{
  with_threads(produce_or_consume, 2);
}

/* A server: each thread works on its blocks, then hands all of them to the
 * next thread, which is a new one. */
enum { SERVER_BLOCKS = 4000, SERVER_ROUNDS = 30 };

static void *
serve(void *argument)
{
  void **blocks = argument;
  uint64_t r = (uintptr_t)argument;
  for (long i = 0; i < 60000; i++) {
    const uint64_t n = next(&r);
    free(blocks[n % SERVER_BLOCKS]);
    blocks[n % SERVER_BLOCKS] = get(16 + (n >> 32) % 500);
  }
  return NULL;
}

static void
row_server(void)
{
  static void *blocks[4][SERVER_BLOCKS];
  for (int round = 0; round < SERVER_ROUNDS; round++) {
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
      pthread_create(&thread[i], NULL, serve, blocks[i]);
    for (int i = 0; i < 4; i++)
      pthread_join(thread[i], NULL);
  }
}

enum { SHARED = 20000 };
static void *shared[SHARED];

static void *
swap(void *id)
{
  uint64_t r = (uint64_t) * (const int *)id;
  for (long i = 0; i < 2000000; i++) {
    const uint64_t n = next(&r);
    void *p = get(16 + (n >> 32) % (n >> 60 ? 200 : 5000));
    free(__atomic_exchange_n(&shared[n % SHARED], p, __ATOMIC_ACQ_REL));
  }
  return NULL;
}

static void
row_cross(void)
{
  with_threads(swap, 2);
}

const work_row threads_rows[] = {
    {"prodcons", row_prodcons},
    {"server", row_server},
    {"cross", row_cross},
    {NULL, NULL},
};
