/* test.h -- what every test program uses
 *
 * TEST(condition), on any thread, records a failure and goes on; test_done()
 * is the exit status.  Random tests take their seed from TEST_SEED in the
 * environment, or a fixed one, and every failure prints it.
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TEST_H
#define TENURE_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
  unsigned long checks;
  unsigned long failures;
  uint64_t seed;
} test_state;

static inline bool
test_check(bool ok, const char *what, const char *file, int line)
{
  (void)__atomic_add_fetch(&test_state.checks, 1, __ATOMIC_RELAXED);
  if (!ok && __atomic_fetch_add(&test_state.failures, 1, __ATOMIC_RELAXED) < 20)
    fprintf(stderr, "%s:%d: failed: %s (seed %llu)\n", file, line, what,
            (unsigned long long)test_state.seed);
  return ok;
}

/* Evaluates to the condition, so that a test can stop what makes no sense. */
#define TEST(condition) test_check(condition, #condition, __FILE__, __LINE__)

#define TEST_TEXT(got, wanted)                                                 \
  (TEST(strcmp(got, wanted) == 0)                                              \
       ? true                                                                  \
       : (fprintf(stderr, "  got    \"%s\"\n  wanted \"%s\"\n", got, wanted),  \
          false))

/* The seed of this run; call before the first random number. */
static inline uint64_t
test_seed(void)
{
  const char *const given = getenv("TEST_SEED");
  test_state.seed = given ? strtoull(given, NULL, 0) : 1;
  return test_state.seed;
}

/* splitmix64 (Steele, Lea, Flood 2014): a good number from a counter. */
static inline uint64_t
test_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline int
test_done(void)
{
  if (test_state.checks == 0)
    fprintf(stderr, "no check ran\n");
  if (test_state.failures)
    fprintf(stderr, "%lu of %lu checks failed\n", test_state.failures,
            test_state.checks);
  return test_state.failures || test_state.checks == 0;
}

#endif
