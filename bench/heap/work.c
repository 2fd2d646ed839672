/* work.c -- what the rows of bench/heap run: one kind of allocation each
 *
 *     work ROW            prints metric,value lines; malloc is whatever is
 *                         preloaded
 *
 * Rows of time print nothing but what they had to compute; run.py measures
 * them from outside.  Rows of memory print what /proc says at their steps.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t
next(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static double
now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Resident KiB. */
static long
resident(void)
{
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  char line[200];
  long kib = 0;
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "Rss: %ld", &kib) == 1)
      break;
  if (f)
    fclose(f);
  return kib;
}

static void
say(const char *metric, double value)
{
  printf("%s,%.3f\n", metric, value);
}

static void *
get(size_t size)
{
  unsigned char *p = malloc(size);
  if (!p)
    abort();
  p[0] = 1;
  p[size - 1] = 1;
  return p;
}

/* ---- Time, one thread ------------------------------------------------------- */

static void
row_small(void)
{
  enum { SLOTS = 5000 };
  static void *slot[SLOTS];
  uint64_t r = 1;
  for (long i = 0; i < 12000000; i++) {
    const uint64_t n = next(&r);
    free(slot[n % SLOTS]);
    slot[n % SLOTS] = get(16 + (n >> 32) % ((n >> 60) ? 240 : 1000));
  }
}

typedef struct tree {
  struct tree *left;
  struct tree *right;
} tree;

static tree *
grow(int depth)
{
  tree *t = malloc(sizeof *t);
  t->left = depth ? grow(depth - 1) : NULL;
  t->right = depth ? grow(depth - 1) : NULL;
  return t;
}

static void
fell(tree *t)
{
  if (!t)
    return;
  fell(t->left);
  fell(t->right);
  free(t);
}

static void
row_trees(void)
{
  for (int i = 0; i < 30; i++)
    fell(grow(17));
  for (int i = 0; i < 3000; i++)
    fell(grow(10));
}

static void
row_strings(void)
{
  enum { STRINGS = 2000 };
  static char *s[STRINGS];
  static size_t used[STRINGS];
  uint64_t r = 2;
  for (long i = 0; i < 4000000; i++) {
    const uint64_t n = next(&r);
    const size_t k = n % STRINGS;
    if (n >> 58 == 0) {
      free(s[k]);
      s[k] = NULL;
      used[k] = 0;
    }
    const size_t more = 1 + (n >> 20) % 40;
    s[k] = realloc(s[k], used[k] + more);
    memset(s[k] + used[k], 'x', more);
    used[k] += more;
  }
}

static void
row_large(void)
{
  enum { SLOTS = 32 };
  static unsigned char *slot[SLOTS];
  uint64_t r = 3;
  for (int i = 0; i < 20000; i++) {
    const uint64_t n = next(&r);
    const size_t size = (256u << 10) + (n >> 16) % (3950u << 10);
    free(slot[n % SLOTS]);
    slot[n % SLOTS] = malloc(size);
    for (size_t at = 0; at < size; at += 65536)
      slot[n % SLOTS][at] = 1;
  }
}

static void
row_mixed(void)
{
  enum { SLOTS = 20000 };
  static void *slot[SLOTS];
  uint64_t r = 4;
  for (long i = 0; i < 5000000; i++) {
    const uint64_t n = next(&r);
    const unsigned log2 = 4 + (unsigned)(n >> 58) % 9;
    free(slot[n % SLOTS]);
    slot[n % SLOTS] =
        get(((size_t)1 << log2) + (n >> 20) % ((size_t)1 << log2));
  }
}

static void
row_calloc(void)
{
  uint64_t r = 5;
  for (long i = 0; i < 3000000; i++) {
    const uint64_t n = next(&r);
    unsigned char *p = calloc(1, 16 + n % (n >> 60 ? 500 : 20000));
    p[0] = 1;
    free(p);
  }
}

/* Fragmentation: each burst of one size leaves one block in 32 behind, and
 * those of four bursts before are freed. */
static void
row_sparse(void)
{
  enum { BURST = 2 << 20, LEFT = BURST / 16 / 32 + 1, KEEP = 4 };
  static void *left[KEEP][LEFT];
  static void *burst[BURST / 16];
  uint64_t r = 6;
  for (int turn = 0; turn < 200; turn++) {
    void **const kept = left[turn % KEEP];
    for (size_t i = 0; i < LEFT; i++) {
      free(kept[i]);
      kept[i] = NULL;
    }
    const size_t size = (size_t)16 << next(&r) % 7;
    const size_t count = BURST / size;
    for (size_t i = 0; i < count; i++)
      burst[i] = get(size);
    for (size_t i = 0; i < count; i++)
      if (i % 32 == 0)
        kept[i / 32] = burst[i];
      else
        free(burst[i]);
  }
}

/* ---- Time, threads -------------------------------------------------------------- */

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

/* ---- Memory ------------------------------------------------------------------------ */

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

/* Diffusion: lists whose nodes lie one after another at first; then nodes are
 * freed in one list and taken for another, at random.  How much slower walking
 * the lists becomes, and the memory that no node uses, are two things. */
enum { LISTS = 400, NODES = 1000 };

typedef struct node {
  struct node *next;
  long value[5];
} node;

static node *lists[LISTS];

static void
push(size_t list, long value)
{
  node *n = malloc(sizeof *n);
  n->value[0] = value;
  n->next = lists[list];
  lists[list] = n;
}

/* The least nanoseconds a node of several walks. */
static double
walk_lists(void)
{
  double least = 1e9;
  for (int i = 0; i < 5; i++) {
    volatile long sum = 0;
    long count = 0;
    const double start = now();
    for (size_t k = 0; k < LISTS; k++)
      for (node *n = lists[k]; n; n = n->next, count++)
        sum += n->value[0];
    const double took = 1e9 * (now() - start) / (double)count;
    least = took < least ? took : least;
  }
  return least;
}

static void
row_diffusion(void)
{
  const long before = resident();
  const double live = (double)LISTS * NODES * sizeof(node) / 1024;
  uint64_t r = 11;
  for (size_t k = 0; k < LISTS; k++)
    for (int i = 0; i < NODES; i++)
      push(k, i);
  const double fresh = walk_lists();
  say("fresh_ns", fresh);
  for (int t = 1; t <= 16; t *= 4) {
    for (long i = 0; i < (long)LISTS * NODES * t; i++) {
      const uint64_t n = next(&r);
      node *const gone = lists[n % LISTS];
      if (!gone)
        continue;
      lists[n % LISTS] = gone->next;
      free(gone);
      push((n >> 32) % LISTS, i);
    }
    char name[40];
    snprintf(name, sizeof name, "slowdown_%d", t);
    say(name, walk_lists() / fresh);
    snprintf(name, sizeof name, "wasted_%d_percent", t);
    say(name, 100.0 * ((double)(resident() - before) - live) / live);
  }
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

static const struct {
  const char *name;
  void (*run)(void);
} rows[] = {
    {"small", row_small},         {"trees", row_trees},
    {"strings", row_strings},     {"large", row_large},
    {"mixed", row_mixed},         {"calloc", row_calloc},
    {"sparse", row_sparse},       {"prodcons", row_prodcons},
    {"server", row_server},       {"cross", row_cross},
    {"back", row_back},           {"back_small", row_back_small},
    {"phases", row_phases},       {"grow", row_grow},
    {"zeros", row_zeros},         {"exited", row_exited},
    {"limit", row_limit},         {"start", row_start},
    {"diffusion", row_diffusion},
};

/* Run a command with LD_PRELOAD as $WORK_PRELOAD says; its seconds, the most
 * KiB that were resident (not those of who started it, as a child of a large
 * program would say) and its status on descriptor 3. */
static int
measure(char **command)
{
  const pid_t child = fork();
  if (child == 0) {
    close(3);
    setenv("LD_PRELOAD", getenv("WORK_PRELOAD"), 1);
    execvp(command[0], command);
    _exit(127);
  }
  int status = 1;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) != child)
    return 1;
  dprintf(3, "%.6f %ld %d\n",
          (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
          used.ru_maxrss, status);
  return 0;
}

int
main(int argc, char **argv)
{
  if (argc > 2 && strcmp(argv[1], "measure") == 0)
    return measure(argv + 2);
  for (size_t i = 0; argc == 2 && i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(rows[i].name, argv[1]) == 0) {
      rows[i].run();
      return 0;
    }
  fputs("work ROW\n", stderr);
  return 2;
}
