/* memory.c -- rows of memory: what /proc says at their steps; work.h
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

static void *volatile light;

/* Light use: a few blocks come and go. */
static void
use_lightly(double seconds)
{
  const double end = now() + seconds;
  while (now() < end) {
    for (int i = 0; i < 20; i++) {
      light = malloc(100);
      free(light);
    }
    usleep(2000);
  }
}

static int
by_value(const void *a, const void *b)
{
  const uintptr_t x = *(const uintptr_t *)a;
  const uintptr_t y = *(const uintptr_t *)b;
  return (x > y) - (x < y);
}

/* The fewest KiB that can be resident: distinct pages of the system's that the
 * blocks at these addresses, of these sizes, lie in. */
static double
pinned_kib(const uintptr_t *at, const size_t *size, size_t count)
{
  size_t n = 0;
  for (size_t i = 0; i < count; i++)
    n += ((at[i] + size[i] - 1) >> 12) - (at[i] >> 12) + 1;
  uintptr_t *page = mmap(NULL, n * sizeof *page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  n = 0;
  for (size_t i = 0; i < count; i++)
    for (uintptr_t p = at[i] >> 12; p <= (at[i] + size[i] - 1) >> 12; p++)
      page[n++] = p;
  qsort(page, n, sizeof *page, by_value);
  size_t held = 0;
  for (size_t i = 0; i < n; i++)
    held += i == 0 || page[i] != page[i - 1];
  munmap(page, n * sizeof *page);
  return 4.0 * (double)held;
}

static void
give_back(size_t low, size_t high)
{
  enum { BYTES = 300 << 20 };
  const size_t count = BYTES / ((low + high) / 2);
  unsigned char **p = malloc(count * sizeof *p);
  uint64_t r = 7;
  for (size_t i = 0; i < count; i++) {
    const size_t size = low + next(&r) % (high - low + 1);
    p[i] = malloc(size);
    memset(p[i], 1, size);
  }
  const long peak = resident();
  uintptr_t *kept = malloc(count / 50 * sizeof *kept);
  size_t *sizes = malloc(count / 50 * sizeof *sizes);
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    if (next(&r) % 100 != 0 || n == count / 50) {
      free(p[i]);
      p[i] = NULL;
    } else {
      kept[n] = (uintptr_t)p[i];
      sizes[n++] = low;
    }
  }
  use_lightly(2.0);
  const long sparse = resident();
  const double held = pinned_kib(kept, sizes, n);
  for (size_t i = 0; i < count; i++)
    free(p[i]);
  free(p);
  free(kept);
  free(sizes);
  use_lightly(2.0);
  say("peak_kib", (double)peak);
  say("sparse_percent", 100.0 * (double)sparse / (double)peak);
  say("survivor_pages_percent", 100.0 * held / (double)peak);
  say("empty_percent", 100.0 * (double)resident() / (double)peak);
}

static void
row_back(void)
{
  give_back(256, 2000);
}

static void
row_back_small(void)
{
  give_back(16, 240);
}

/* Seven phases of doubling size; of each one block in 64 is kept.  Where every
 * size has memory of its own, and blocks lie one after another, what is kept
 * pins 380 MiB: a survivor is in every page of the three smallest sizes, or in
 * every second one. */
static void
row_phases(void)
{
  enum { BYTES = 128 << 20, KEPT = 2 * BYTES / 32 / 64 };
  static uintptr_t kept[KEPT];
  static size_t sizes[KEPT];
  size_t n = 0;
  for (size_t size = 32; size <= 2048; size *= 2) {
    const size_t count = BYTES / size;
    void **p = malloc(count * sizeof *p);
    for (size_t i = 0; i < count; i++) {
      p[i] = malloc(size);
      memset(p[i], 1, size);
    }
    for (size_t i = 0; i < count; i++)
      if (i % 64 != 0) {
        free(p[i]);
      } else {
        kept[n] = (uintptr_t)p[i];
        sizes[n++] = size;
      }
    free(p);
  }
  say("live_mib", 7.0 * BYTES / 64 / (1 << 20));
  say("resident_at_once_mib", (double)resident() / 1024);
  use_lightly(2.0);
  say("resident_mib", (double)resident() / 1024);
  say("survivor_pages_mib", pinned_kib(kept, sizes, n) / 1024);
}

enum { GROW_STEP = 65536, GROW_STEPS = 2016 };

/* Grow a block to 126 MiB in steps, or take it whole; touched or not. */
static unsigned
grow_block(bool by_steps, bool touched)
{
  const size_t all = (size_t)GROW_STEPS * GROW_STEP;
  unsigned moves = 0;
  unsigned char *p = NULL;
  for (size_t size = by_steps ? GROW_STEP : all; size <= all;
       size += GROW_STEP) {
    unsigned char *q = realloc(p, size);
    moves += p && q != p;
    p = q;
    const size_t step = by_steps ? GROW_STEP : all;
    /* A byte a page: faults, which are what growing must not multiply. */
    for (size_t at = size - step; touched && at < size; at += 4096)
      *(volatile unsigned char *)&p[at] = 1;
  }
  return moves;
}

/* Its CPU seconds in a process of its own, where all memory is fresh. */
static double
grow_apart(bool by_steps, bool touched, unsigned *moves)
{
  struct {
    double seconds;
    unsigned moves;
  } result = {0, 0};
  int ends[2];
  if (pipe(ends) != 0)
    abort();
  const pid_t child = fork();
  if (child == 0) {
    struct timespec t[2];
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[0]);
    result.moves = grow_block(by_steps, touched);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[1]);
    result.seconds = (double)(t[1].tv_sec - t[0].tv_sec) +
                     1e-9 * (double)(t[1].tv_nsec - t[0].tv_nsec);
    _exit(write(ends[1], &result, sizeof result) != sizeof result);
  }
  if (child < 0 || read(ends[0], &result, sizeof result) != sizeof result)
    abort();
  close(ends[0]);
  close(ends[1]);
  waitpid(child, NULL, 0);
  *moves = result.moves;
  return result.seconds;
}

static void
row_grow(void)
{
  enum { ROUNDS = 9 };
  double least[3] = {1e9, 1e9, 1e9};  // untouched, touched, taken whole
  unsigned moves[3];
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < 3; i++) {
      const int k = (i + round) % 3;
      const double took = grow_apart(k<2, k> 0, &moves[k]);
      least[k] = took < least[k] ? took : least[k];
    }
  say("untouched_ms", 1e3 * least[0]);
  say("untouched_moves", moves[0]);
  say("touched_ms", 1e3 * least[1]);
  say("touched_moves", moves[1]);
  say("first_touch_ms", 1e3 * least[2]);
  say("touched_ratio", least[1] / least[2]);
  /* In this process too, so that its statistics say how it grew. */
  (void)grow_block(true, false);
}

static void
row_zeros(void)
{
  const long before = resident();
  unsigned char *p = calloc(256, 1 << 20);
  p[0] = 1;
  say("calloc_256m_kib", (double)(resident() - before));
  free(p);
  const double start = now();
  for (int i = 0; i < 200; i++) {
    p = calloc(32, 1 << 20);
    p[i] = 1;
    free(p);
  }
  say("calloc_200x32m_ms", 1e3 * (now() - start));
}

static void *volatile sink;

static void *kept[2000][64];

static void *
keep(void *argument)
{
  void **blocks = argument;
  for (int i = 0; i < 64; i++)
    blocks[i] = get(16 + (size_t)i * 16);
  return NULL;
}

static void
row_exited(void)
{
  const long before = resident();
  for (int i = 0; i < 2000; i += 20) {
    pthread_t thread[20];
    for (int k = 0; k < 20; k++)
      pthread_create(&thread[k], NULL, keep, kept[i + k]);
    for (int k = 0; k < 20; k++)
      pthread_join(thread[k], NULL);
  }
  const long full = resident();
  for (int i = 0; i < 2000; i++)
    for (int k = 0; k < 64; k++)
      free(kept[i][k]);
  use_lightly(2.0);
  say("before_kib", (double)before);
  say("full_kib", (double)full);
  say("after_kib", (double)resident());
}

static void
row_limit(void)
{
  const size_t limit = 1500u << 20;
  const struct rlimit r = {limit, limit};
  setrlimit(RLIMIT_AS, &r);
  size_t got = 0;
  void *list = NULL;
  for (void **p; (p = malloc(1024)) != NULL; got += 1024) {
    *p = list;
    list = p;
  }
  say("used_percent", 100.0 * (double)got / (double)limit);
  for (int i = 0; i < 100000; i++) {
    void *nextp = *(void **)list;
    free(list);
    list = nextp;
  }
  say("works_on", malloc(500) != NULL);
}

static void
row_start(void)
{
  say("resident_kib", (double)resident());
}

const work_row memory_rows[] = {
    {"back", row_back},     {"back_small", row_back_small},
    {"phases", row_phases}, {"grow", row_grow},
    {"zeros", row_zeros},   {"exited", row_exited},
    {"limit", row_limit},   {"start", row_start},
    {NULL, NULL},
};
