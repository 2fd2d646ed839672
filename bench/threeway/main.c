/* main.c -- run one arm of one program and say what it cost
 *
 *   arm N STEPS RUNS
 *
 * Prints one line: hash, nanoseconds a step (least and median of the runs),
 * page faults of the first run and of all later ones together.
 * SPDX-License-Identifier: MIT
 */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_RUNS = 10000 };

static double
main_now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static long
main_faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

static int
main_compare(const void *left, const void *right)
{
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static uint32_t
main_number(const char *text, unsigned long most)
{
  char *end;
  const unsigned long value = strtoul(text, &end, 10);
  if (*end || value < 1 || value > most) {
    fprintf(stderr, "threeway: \"%s\" is not a number from 1 to %lu\n", text,
            most);
    exit(2);
  }
  return (uint32_t)value;
}

int
main(int argc, char **argv)
{
  static double times[MAX_RUNS];
  if (argc != 4) {
    fprintf(stderr, "usage: %s N STEPS RUNS\n", argv[0]);
    return 2;
  }
  const uint32_t n = main_number(argv[1], 64);
  const uint32_t steps = main_number(argv[2], 1000000);
  const uint32_t runs = main_number(argv[3], MAX_RUNS);
  uint64_t hash = 0;
  workload_open(n);
  const long before = main_faults();
  long first = before;
  for (uint32_t i = 0; i < runs; i++) {
    const double start = main_now_ns();
    const uint64_t result = workload_run(steps);
    times[i] = (main_now_ns() - start) / steps;
    if (i == 0) {
      hash = result;
      first = main_faults();
    } else if (result != hash) {
      fprintf(stderr, "threeway: run %u computed something else\n", i);
      return 1;
    }
  }
  const long later = main_faults() - first;
  qsort(times, runs, sizeof *times, main_compare);
  printf("%016llx %.3f %.3f %ld %ld\n", (unsigned long long)hash, times[0],
         times[runs / 2], first - before, later);
  return 0;
}
