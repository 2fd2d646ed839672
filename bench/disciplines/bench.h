/* bench.h -- the cases of one program of the benchmark of disciplines
 *
 * A program is a table of cases: what is done (row), by whom (variant), and a
 * function that does it `per_call` times.  run.py asks for the list, then for
 * one case at a time, so that the variants of a row take turns:
 *
 *     program                     lines "row variant"
 *     program ROW VARIANT         lines "metric value"
 *     program ROW VARIANT CALLS   does it CALLS times and measures nothing
 *
 * Every variant of a row does the same work and has the same per_call.
 */
#ifndef BENCH_DISCIPLINES_H
#define BENCH_DISCIPLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench_case {
  const char *row;
  const char *variant;    // "tenure" is ours
  unsigned per_call;      // operations a call
  void (*run)(void);      // what is timed, in ns an operation
  void (*begin)(void);    // before the first run; NULL for nothing
  void (*prepare)(void);  // before each run, not timed; NULL for nothing
  /* Instead of run: measures by itself and prints lines "metric value". */
  void (*measure)(void);
} bench_case;

/* The compiler has to assume that p is used and its memory read. */
#define BENCH_KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

/* The compiler does not know where p points. */
#define BENCH_HIDE(p) __asm__ volatile("" : "+r"(p))

static inline double
bench_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ns of calls runs. */
static inline double
bench_time(const bench_case *c, unsigned long calls)
{
  double total = 0;
  if (!c->prepare) {
    const double begin = bench_now();
    for (unsigned long i = 0; i < calls; i++)
      c->run();
    return bench_now() - begin;
  }
  for (unsigned long i = 0; i < calls; i++) {
    c->prepare();
    const double begin = bench_now();
    c->run();
    total += bench_now() - begin;
  }
  return total;
}

/* The best of some samples of at least 2 ms each, after one that warms up. */
static inline void
bench_measure(const bench_case *c)
{
  unsigned long calls = 1;
  double best = 1e300;
  while (bench_time(c, calls) < 2e6 && calls < 1ul << 30)
    calls *= 2;
  for (int i = 0; i < 7; i++) {
    const double ns = bench_time(c, calls) / (double)calls / c->per_call;
    best = ns < best ? ns : best;
  }
  printf("ns %.4g\n", best);
}

static inline void
bench_count(const bench_case *c, unsigned long calls)
{
  for (unsigned long i = 0; i < calls; i++) {
    if (c->prepare)
      c->prepare();
    if (c->run)
      c->run();
  }
}

static inline int
bench_main(int argc, char **argv, const bench_case *cases, size_t count)
{
  if (argc < 3) {
    for (size_t i = 0; i < count; i++)
      printf("%s %s\n", cases[i].row, cases[i].variant);
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    const bench_case *const c = &cases[i];
    if (strcmp(argv[1], c->row) != 0 || strcmp(argv[2], c->variant) != 0)
      continue;
    if (c->begin)
      c->begin();
    if (argc > 3)
      bench_count(c, strtoul(argv[3], NULL, 10));
    else if (c->measure)
      c->measure();
    else
      bench_measure(c);
    return 0;
  }
  fprintf(stderr, "%s: no case %s %s\n", argv[0], argv[1], argv[2]);
  return 1;
}

#define BENCH_MAIN(cases)                                                      \
  int main(int argc, char **argv)                                              \
  {                                                                            \
    return bench_main(argc, argv, cases, sizeof(cases) / sizeof *(cases));     \
  }

#endif
