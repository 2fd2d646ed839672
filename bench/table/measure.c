/* measure.c -- one property of one discipline a run: measure DISCIPLINE PROPERTY
 *
 * Prints lines "metric value", or "metric text" for what is not a number.
 * run.py asks for all of them and says what they mean.
 */
#define _GNU_SOURCE
#include "table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  ROUNDS = 9,           // of which the best counts
  CAPACITY = 16 << 20,  // bytes of blocks at most
  WORST_OPS = 20000,    // allocations looked at one by one
  LIVE = 32 << 20,      // bytes that are live when memory is measured
  SMALL = 256 << 10,    // capacity of those that are run full
  PROMPT_STEPS = 16384,
  PROMPT_LIVE = 256,    // blocks
  PROMPT_PHASE = 1024,  // steps
  FORGOTTEN = 100,      // phases
  THREAD_ROUNDS = 5,    // of which the best counts
};

double
table_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Counted page by page: statm's counter is off by some 100 pages. */
size_t
table_resident(void)
{
  char line[256];
  size_t kib = 0;
  FILE *const file = fopen("/proc/self/smaps_rollup", "r");
  while (file && kib == 0 && fgets(line, sizeof line, file))
    (void)sscanf(line, "Rss: %zu kB", &kib);
  if (!file || kib == 0)
    exit(1);
  fclose(file);
  return kib * 1024;
}

void
table_print(const char *metric, double value)
{
  printf("%s %.5g\n", metric, value);
}

static void
must(bool ok, const char *what)
{
  if (ok)
    return;
  fprintf(stderr, "measure: %s failed\n", what);
  exit(1);
}

static uint64_t
random_next(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

static void
shuffle(void)
{
  uint64_t state = 1;
  for (unsigned i = 0; i < TABLE_BATCH; i++)
    table_random_order[i] = (unsigned short)i;
  for (unsigned i = TABLE_BATCH - 1; i > 0; i--) {
    const unsigned k = (unsigned)(random_next(&state) % (i + 1));
    const unsigned short held = table_random_order[i];
    table_random_order[i] = table_random_order[k];
    table_random_order[k] = held;
  }
}

/* ---- Throughput -------------------------------------------------------------- */

void
table_time(const table_discipline *d)
{
  must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
  double best = 1e300;
  d->batches(10);
  for (int i = 0; i < ROUNDS; i++) {
    const double begin = table_now();
    d->batches(40);
    const double ns = (table_now() - begin) / (40.0 * TABLE_BATCH);
    best = ns < best ? ns : best;
  }
  table_print("ns", best);
  d->end();
}

/* ---- The longest operation ----------------------------------------------------- */

/* The best of several runs for each operation is what it takes without being
 * interrupted; the worst of those is the discipline's. */
void
table_worst(const table_discipline *d)
{
  static double alloc[WORST_OPS], release[WORST_OPS];
  static uintptr_t token[WORST_OPS];
  double worst_alloc = 0, worst_free = 0;
  for (int round = 0; round < ROUNDS; round++) {
    must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
    for (size_t i = 0; i < WORST_OPS; i++) {
      const double begin = table_now();
      token[i] = d->alloc(TABLE_BLOCK);
      *(volatile uint64_t *)d->at(token[i]) = i;
      const double ns = table_now() - begin;
      alloc[i] = round == 0 || ns < alloc[i] ? ns : alloc[i];
    }
    for (size_t i = 0; d->free && i < WORST_OPS; i++) {
      const size_t which = d->order == TABLE_NEWEST ? WORST_OPS - 1 - i
                           : d->order == TABLE_ANY  ? i * 7919 % WORST_OPS
                                                    : i;
      const double begin = table_now();
      d->free(token[which], TABLE_BLOCK);
      const double ns = table_now() - begin;
      release[i] = round == 0 || ns < release[i] ? ns : release[i];
    }
    const double begin = table_now();
    if (!d->free)
      d->release();
    const double ns = table_now() - begin;
    if (!d->free)
      release[0] = round == 0 || ns < release[0] ? ns : release[0];
    d->end();
  }
  for (size_t i = 0; i < WORST_OPS; i++) {
    worst_alloc = alloc[i] > worst_alloc ? alloc[i] : worst_alloc;
    worst_free = release[i] > worst_free ? release[i] : worst_free;
  }
  table_print("alloc_ns", worst_alloc);
  table_print("free_ns", worst_free);
}

/* ---- Memory -------------------------------------------------------------------- */

/* Resident bytes beyond those asked for, when about LIVE bytes are live, of
 * blocks of size bytes, or of 16 to 512 (size 0). */
static double
excess_bytes(const table_discipline *d, size_t size, size_t *count)
{
  uint64_t random = 7;
  size_t asked = 0;
  const size_t each = size ? size : TABLE_BLOCK;
  const size_t before = table_resident();
  must(d->begin(LIVE / each * (each + 80), each), "begin");
  for (*count = 0; asked < LIVE; ++*count) {
    const size_t n = size ? size : 16 + random_next(&random) % 497;
    const uintptr_t token = d->alloc(n);
    must(token != 0, "alloc");
    memset(d->at(token), 1, n);
    asked += n;
  }
  return (double)table_resident() - (double)before - (double)asked;
}

/* A little of everything, so that the program's own pages are there before
 * any are counted. */
static void
warm_up(const table_discipline *d)
{
  must(d->begin(1 << 20, TABLE_BLOCK), "begin");
  for (size_t i = 0; i < 100; i++)
    memset(d->at(d->alloc(TABLE_BLOCK)), 1, TABLE_BLOCK);
  d->end();
  (void)table_resident();
}

/* In a process of its own: what was freed before would be there already. */
static void
measure_memory(const table_discipline *d, size_t size, bool is_metadata)
{
  char metric[32] = "excess_percent";
  size_t count;
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    warm_up(d);
    const double excess = excess_bytes(d, size, &count);
    if (is_metadata)
      snprintf(metric, sizeof metric, "metadata_%zu", size);
    table_print(metric,
                is_metadata ? excess / (double)count : 100 * excess / LIVE);
    fflush(NULL);
    _exit(0);
  }
  int status = -1;
  must(child > 0 && waitpid(child, &status, 0) == child && status == 0,
       "a child");
}

void
table_memory(const table_discipline *d)
{
  for (size_t size = 8; size <= 4096; size *= 2)
    measure_memory(d, size, true);
  measure_memory(d, d->has_one_size ? TABLE_BLOCK : 0, false);
}

/* ---- Promptness ------------------------------------------------------------------ */

typedef struct prompt_block {
  uintptr_t token;
  bool is_dead;
} prompt_block;

static prompt_block prompt[PROMPT_STEPS];
static size_t prompt_first, prompt_end;  // those not freed lie between

/* Free what the order lets us free. */
static void
prompt_free(const table_discipline *d, size_t died)
{
  if (d->order == TABLE_ANY) {
    d->free(prompt[died].token, TABLE_BLOCK);
    prompt[died].token = 0;
  }
  if (d->order == TABLE_NEWEST)
    for (; prompt_end > prompt_first && prompt[prompt_end - 1].is_dead;
         prompt_end--)
      d->free(prompt[prompt_end - 1].token, TABLE_BLOCK);
  if (d->order == TABLE_OLDEST)
    for (; prompt_first < prompt_end && prompt[prompt_first].is_dead;
         prompt_first++)
      d->free(prompt[prompt_first].token, TABLE_BLOCK);
}

/* Blocks die at random; at the end of a phase all do.  How much of what is
 * held is dead, on average. */
void
table_prompt(const table_discipline *d)
{
  static size_t live[PROMPT_LIVE];
  uint64_t random = 3;
  double dead_steps = 0, held_steps = 0;
  size_t held = 0, alive = 0;
  must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
  for (size_t step = 0; step < PROMPT_STEPS; step++) {
    if (step % PROMPT_PHASE == 0) {
      for (size_t i = 0; i < alive; i++) {
        prompt[live[i]].is_dead = true;
        prompt_free(d, live[i]);
      }
      if (d->order == TABLE_ALL)
        d->release();
      prompt_first = prompt_end = alive = held = 0;
    }
    if (alive == PROMPT_LIVE) {
      const size_t k = random_next(&random) % alive;
      const size_t died = live[k];
      const size_t before = prompt_end - prompt_first;
      prompt[died].is_dead = true;
      live[k] = live[--alive];
      prompt_free(d, died);
      held -= d->order == TABLE_ANY ? 1 : before - (prompt_end - prompt_first);
    }
    prompt[prompt_end] = (prompt_block){d->alloc(TABLE_BLOCK), false};
    must(prompt[prompt_end].token != 0, "alloc");
    live[alive++] = prompt_end++;
    held++;
    dead_steps += (double)(held - alive);
    held_steps += (double)held;
  }
  table_print("dead_percent", 100 * dead_steps / held_steps);
  d->end();
}

/* ---- Completeness ------------------------------------------------------------------ */

/* Phases in which every second block is forgotten: what of those bytes comes
 * back when the phase ends. */
void
table_complete(const table_discipline *d)
{
  enum { BLOCKS = 2000 };
  static uintptr_t token[BLOCKS];
  warm_up(d);
  must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
  size_t start = 0;
  for (int phase = 0; phase <= FORGOTTEN; phase++) {
    for (size_t i = 0; i < BLOCKS; i++) {
      token[i] = d->alloc(TABLE_BLOCK);
      must(token[i] != 0, "alloc");
      memset(d->at(token[i]), 1, TABLE_BLOCK);
    }
    for (size_t i = 0; d->order == TABLE_ANY && i < BLOCKS; i += 2)
      d->free(token[i], TABLE_BLOCK);
    if (d->release)
      d->release();
    if (phase == 0)
      start = table_resident();
  }
  const double grown = (double)table_resident() - (double)start;
  const double forgotten = FORGOTTEN / 2.0 * BLOCKS * TABLE_BLOCK;
  const double lost = grown < 0 ? 0 : grown > forgotten ? forgotten : grown;
  table_print("recovered_percent", 100 - 100 * lost / forgotten);
  d->end();
}

/* ---- Sizes and threads ------------------------------------------------------------- */

void
table_dynamic(const table_discipline *d)
{
  static const size_t sizes[] = {1, 24, 100, 4096, 30000};
  size_t served = 0;
  must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
  tn_provider *const p = d->provide ? d->provide() : NULL;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    served +=
        d->has_one_size ? sizes[i] <= TABLE_BLOCK : d->alloc(sizes[i]) != 0;
  const char *grows = "none";
  if (p) {
    unsigned char *const first = tn_allocate(p, 40, 16).pointer;
    unsigned char *const last = tn_allocate(p, 40, 16).pointer;
    must(first && last, "allocate");
    const bool can_last = tn_resize(p, last, 40, 2000, 16) >= 2000;
    const bool can_first = tn_resize(p, first, 40, 2000, 16) >= 2000;
    grows = can_first && can_last ? "any" : can_last ? "last" : "none";
  }
  printf("sizes %s\ngrows_in_place %s\n",
         served == sizeof sizes / sizeof *sizes ? "any" : "one", grows);
  d->end();
}

static double
thread_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

typedef struct thread_job {
  const table_discipline *d;
  double ns;
} thread_job;

/* Blocks of a thread, or of two at once, through the same functions.  Counted is
 * the processor's time: that of other programs on it is theirs. */
static void *
thread_pairs(void *argument)
{
  thread_job *const job = argument;
  const table_discipline *const d = job->d;
  uintptr_t token[64];
  const double begin = thread_now();
  for (int round = 0; round < 20000; round++) {
    for (size_t i = 0; i < 64; i++) {
      token[i] = d->alloc(TABLE_BLOCK);
      *(volatile uint64_t *)d->at(token[i]) = i;
    }
    for (size_t i = 0; i < 64; i++)
      d->free(token[i], TABLE_BLOCK);
  }
  job->ns = thread_now() - begin;
  return NULL;
}

/* ns of the slowest of count threads.  One is a thread beside main as well: a C
 * library's malloc takes no locks before there is a second thread, which
 * would be another program. */
static double
thread_longest(const table_discipline *d, unsigned count)
{
  thread_job job[2] = {{d, 0}, {d, 0}};
  pthread_t thread[2];
  double longest = 0;
  for (unsigned i = 0; i < count; i++)
    must(pthread_create(&thread[i], NULL, thread_pairs, &job[i]) == 0,
         "pthread_create");
  for (unsigned i = 0; i < count; i++) {
    pthread_join(thread[i], NULL);
    longest = job[i].ns > longest ? job[i].ns : longest;
  }
  return longest;
}

void
table_threads(const table_discipline *d)
{
  must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
  tn_provider *const p = d->provide ? d->provide() : NULL;
  const bool can =
      p ? (p->capabilities & TN_PROVIDER_THREADS) != 0 : d->has_threads;
  if (!can) {
    printf("threads one\n");
    return;
  }
  double best = 0;
  for (int i = 0; i < THREAD_ROUNDS; i++) {
    const double one = thread_longest(d, 1), two = thread_longest(d, 2);
    best = 2 * one / two > best ? 2 * one / two : best;
  }
  printf("threads any\n");
  table_print("speed_of_two", best);
}

/* ---- Choosing ------------------------------------------------------------------------ */

static const struct {
  const char *name;
  void (*run)(const table_discipline *d);
} measures[] = {
    {"time", table_time},         {"worst", table_worst},
    {"memory", table_memory},     {"prompt", table_prompt},
    {"complete", table_complete}, {"overflow", table_overflow},
    {"dynamic", table_dynamic},   {"threads", table_threads},
    {"safe", table_safe},
};

static const table_discipline *
discipline(size_t i)
{
  return i < table_linear_count ? &table_linear[i]
                                : &table_single[i - table_linear_count];
}

int
main(int argc, char **argv)
{
  const size_t table_count = table_linear_count + table_single_count;
  shuffle();
  if (argc == 1) {
    for (size_t i = 0; i < table_count; i++)
      printf("%s\n", discipline(i)->name);
    return 0;
  }
  if (argc == 2 && strcmp(argv[1], "owner") == 0) {
    table_owner();
    return 0;
  }
  for (size_t i = 0; argc >= 3 && i < table_count; i++) {
    const table_discipline *const d = discipline(i);
    if (strcmp(argv[1], d->name) != 0)
      continue;
    if (argc == 4 && strcmp(argv[2], "batches") == 0) {
      must(d->begin(CAPACITY, TABLE_BLOCK), "begin");
      d->batches(strtoul(argv[3], NULL, 10));
      return 0;
    }
    for (size_t k = 0; k < sizeof measures / sizeof *measures; k++)
      if (strcmp(argv[2], measures[k].name) == 0) {
        measures[k].run(d);
        return 0;
      }
  }
  fprintf(stderr, "usage: measure [owner | DISCIPLINE PROPERTY]\n");
  return 2;
}
