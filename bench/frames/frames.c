/* frames.c -- one call tree, its frames in six places
 *
 *     frames VARIANT ROUNDS     prints calls, ns, page faults and a checksum
 *
 * static  one frame a procedure, as FORTRAN had it: no recursion
 * stack   the compiler's
 * scope   a bump allocator's: taken by moving a cursor, given back by moving
 *         it back; a stack that is not the machine's
 * never   taken from a bump allocator and never given back, as if a collector
 *         with endless memory stood behind (Appel 1987)
 * collected  the same, with a collection after each round that finds nothing
 *         alive: the memory is used again
 * malloc  each from malloc, each freed
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE  // clock_gettime

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <tenure/bump.h>

#define FANOUT 4
#define CALLS  21845  // 1 + 4 + ... + 4^7

/* The frame is in memory, not in registers. */
#define KEEP(p) __asm__ volatile("" : : "g"(p) : "memory")

typedef struct frame {
  const struct frame *caller;
  long argument, sum;
  long locals[5];  // 64 bytes in all
} frame;

static tn_bump memory;

#define NAMED(name) static_##name
#define ENTER(f)                                                               \
  static frame f##_frame;                                                      \
  frame *const f = &f##_frame;                                                 \
  KEEP(f)
#define LEAVE(f) ((void)0)
#include "tree.h"

#define NAMED(name) stack_##name
#define ENTER(f)                                                               \
  frame f##_frame;                                                             \
  frame *const f = &f##_frame;                                                 \
  KEEP(f)
#define LEAVE(f) ((void)0)
#include "tree.h"

#define NAMED(name) scope_##name
#define ENTER(f)                                                               \
  const tn_bump_mark f##_mark = tn_bump_get_mark(&memory);                     \
  frame *const f = tn_bump_push(&memory, sizeof *f);                           \
  KEEP(f)
#define LEAVE(f) tn_bump_rewind(&memory, f##_mark)
#include "tree.h"

#define NAMED(name) never_##name
#define ENTER(f)                                                               \
  frame *const f = tn_bump_push(&memory, sizeof *f);                           \
  KEEP(f)
#define LEAVE(f) ((void)0)
#include "tree.h"

#define NAMED(name) malloc_##name
#define ENTER(f)                                                               \
  frame *const f = malloc(sizeof *f);                                          \
  if (f == NULL)                                                               \
    abort();                                                                   \
  KEEP(f)
#define LEAVE(f) free(f)
#include "tree.h"

static const struct variant {
  const char *name;
  long (*run)(const frame *caller, long argument);
  bool is_collected;
} variants[] = {
    {"static", static_level_1, false},  {"stack", stack_level_1, false},
    {"scope", scope_level_1, false},    {"never", never_level_1, false},
    {"collected", never_level_1, true}, {"malloc", malloc_level_1, false},
};

static double
now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long
page_faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

static int
run(const struct variant *v, long rounds)
{
  const frame root = {.argument = 7};
  if (tn_bump_create(&memory, NULL) != TN_OK) {
    fputs("frames: no memory\n", stderr);
    return 1;
  }
  long sum = 0;
  const long faults = page_faults();
  const double start = now_ns();
  const tn_bump_mark start_mark = tn_bump_get_mark(&memory);
  for (long i = 0; i < rounds; i++) {
    sum += v->run(&root, i);
    if (v->is_collected)
      tn_bump_rewind(&memory, start_mark);
  }
  const double ns = now_ns() - start;
  printf("%ld %.0f %ld %ld\n", rounds * CALLS, ns, page_faults() - faults, sum);
  return 0;
}

int
main(int argc, char **argv)
{
  for (size_t i = 0; argc == 3 && i < sizeof variants / sizeof *variants; i++) {
    if (strcmp(variants[i].name, argv[1]) == 0)
      return run(&variants[i], strtol(argv[2], NULL, 10));
  }
  fputs("frames VARIANT ROUNDS\n", stderr);
  return 2;
}
