/* work.h -- the rows of bench/heap, and what they share
 *
 *     single.c     time, one thread        threads.c    time, several
 *     memory.c     what /proc says         diffusion.c  locality that decays
 * SPDX-License-Identifier: MIT
 */
#ifndef WORK_H
#define WORK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct work_row {
  const char *name;  // NULL: behind the last
  void (*run)(void);
} work_row;

extern const work_row single_rows[], threads_rows[], memory_rows[],
    diffusion_rows[];

static inline uint64_t
next(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline double
now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Resident KiB. */
static inline long
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

static inline void
say(const char *metric, double value)
{
  printf("%s,%.3f\n", metric, value);
}

static inline void *
get(size_t size)
{
  unsigned char *p = malloc(size);
  if (!p)
    abort();
  p[0] = 1;
  p[size - 1] = 1;
  return p;
}

#endif
