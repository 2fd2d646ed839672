/* shared.c -- a pool for several threads: lock-free against a lock
 *
 * Each of two threads holds up to 8 blocks, allocates and frees in turn, and
 * writes to what it holds; `mutex` is tn_pool with a pthread mutex round each
 * call, `malloc` what everybody else does.  Time is that of a call of one
 * thread, while the other does the same.
 */
#include <pthread.h>

#include <tenure/pool.h>
#include <tenure/shared.h>

#include "bench.h"

enum { THREADS = 2, CALLS = 400000, HELD = 8, SIZE = 64 };

static tn_shared *shared;
static tn_pool pool;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static double took[THREADS];

static void
begin(void)
{
  if (tn_shared_create(&shared, SIZE, NULL) ||
      tn_pool_create(&pool, SIZE, NULL))
    exit(1);
  pthread_barrier_init(&barrier, NULL, THREADS);
}

static void *
mutex_alloc(void)
{
  pthread_mutex_lock(&mutex);
  void *const block = tn_pool_alloc(&pool);
  pthread_mutex_unlock(&mutex);
  return block;
}

static void
mutex_free(void *block)
{
  pthread_mutex_lock(&mutex);
  tn_pool_free(&pool, block);
  pthread_mutex_unlock(&mutex);
}

/* Run work on all threads, and say what a call took. */
static void
run(void *(*work)(void *))
{
  double best = 1e300;
  for (int sample = 0; sample < 5; sample++) {
    pthread_t threads[THREADS];
    double total = 0;
    for (int i = 0; i < THREADS; i++)
      pthread_create(&threads[i], NULL, work, &took[i]);
    for (int i = 0; i < THREADS; i++) {
      pthread_join(threads[i], NULL);
      total += took[i];
    }
    total /= (double)THREADS * CALLS;
    best = total < best ? total : best;
  }
  printf("ns %.4g\n", best);
}

#define BOTH(name, allocate, release)                                          \
  static void *both_##name(void *argument)                                     \
  {                                                                            \
    void *held[HELD] = {NULL};                                                 \
    pthread_barrier_wait(&barrier);                                            \
    const double start = bench_now();                                          \
    for (unsigned i = 0; i < CALLS / 2; i++) {                                 \
      void *const block = held[i % HELD];                                      \
      if (block)                                                               \
        release;                                                               \
      *(char *)(held[i % HELD] = allocate) = 1;                                \
    }                                                                          \
    *(double *)argument = bench_now() - start;                                 \
    for (unsigned i = 0; i < HELD; i++) {                                      \
      void *const block = held[i];                                             \
      release;                                                                 \
    }                                                                          \
    return NULL;                                                               \
  }                                                                            \
  static void measure_both_##name(void)                                        \
  {                                                                            \
    run(both_##name);                                                          \
  }

BOTH(tenure, tn_shared_alloc(shared), tn_shared_free(shared, block))
BOTH(mutex, mutex_alloc(), mutex_free(block))
BOTH(malloc, malloc(SIZE), free(block))

static const bench_case cases[] = {
    {"shared.both", "tenure", 1, NULL, begin, NULL, measure_both_tenure},
    {"shared.both", "mutex", 1, NULL, begin, NULL, measure_both_mutex},
    {"shared.both", "malloc", 1, NULL, begin, NULL, measure_both_malloc},
};
BENCH_MAIN(cases)
