/* reset.c -- what it costs to free N objects at once
 *
 * The same 64 MB hold 1 to 1,000,000 objects; each is written to.  Then all
 * are released: by tn_bump_reset, tn_checked_reset, the end of a scope, and,
 * to compare with, free() of each.  Prints name,variant,metric,value: the best
 * of ROUNDS, in nanoseconds, and the ratio of most objects to one, which is to
 * be at most 2 (flat) where release is a reset.
 *
 *     reset                  everything
 *     reset VARIANT COUNT    one round of it and nothing else, for
 *                            valgrind --tool=callgrind
 */
#define _GNU_SOURCE  // clock_gettime
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tenure/bump.h>
#include <tenure/checked.h>

#define TOTAL  ((size_t)64000000)  // bytes, whatever the number of objects
#define MOST   1000000
#define ROUNDS 15

typedef struct state {
  tn_bump bump;
  tn_checked checked;
  void **blocks;  // of malloc
} state;

static double
now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Line by line, so that caches are in the same state whatever the sizes: a
 * large memset would pass them by. */
static void
use(void *block, size_t size)
{
  for (size_t i = 0; i < size; i += 64)
    memset((char *)block + i, 1, size - i < 64 ? size - i : 64);
  __asm__ volatile("" : : "g"(block) : "memory");
}

/* Each fills TOTAL with count objects; returns the nanoseconds of the release
 * alone. */
static double
reset_bump(state *s, size_t count)
{
  const size_t size = TOTAL / count;
  for (size_t i = 0; i < count; i++)
    use(tn_bump_push(&s->bump, (uint32_t)size), size);
  const double start = now_ns();
  tn_bump_reset(&s->bump);
  return now_ns() - start;
}

static double
reset_checked(state *s, size_t count)
{
  const size_t size = TOTAL / count;
  for (size_t i = 0; i < count; i++)
    use(tn_checked_push(&s->checked, (uint32_t)size), size);
  const double start = now_ns();
  tn_checked_reset(&s->checked);
  return now_ns() - start;
}

static double
reset_scope(state *s, size_t count)
{
  const size_t size = TOTAL / count;
  double start;
  {
    TN_SCOPE(scope, &s->bump);
    for (size_t i = 0; i < count; i++)
      use(tn_bump_push(scope, (uint32_t)size), size);
    start = now_ns();
  }
  return now_ns() - start;
}

static double
reset_malloc(state *s, size_t count)
{
  const size_t size = TOTAL / count;
  for (size_t i = 0; i < count; i++) {
    s->blocks[i] = malloc(size);
    if (!s->blocks[i])
      abort();
    use(s->blocks[i], size);
  }
  const double start = now_ns();
  for (size_t i = 0; i < count; i++)
    free(s->blocks[i]);
  return now_ns() - start;
}

static const struct variant {
  const char *name;
  double (*run)(state *s, size_t count);
} variants[] = {
    {"bump", reset_bump},
    {"checked", reset_checked},
    {"scope", reset_scope},
    {"malloc", reset_malloc},
};

static state
state_begin(void)
{
  state s = {.blocks = calloc(MOST, sizeof(void *))};
  const tn_bump_options bump = {.size = 2 * TOTAL};
  const tn_checked_options checked = {.size = 2 * TOTAL};
  if (!s.blocks || tn_bump_create(&s.bump, &bump) != TN_OK ||
      tn_checked_create(&s.checked, &checked) != TN_OK)
    abort();
  return s;
}

static void
measure(state *s, const struct variant *v)
{
  double first = 0, last = 0;
  for (size_t count = 1; count <= MOST; count *= 10) {
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
      const double ns = v->run(s, count);
      if (ns < best)
        best = ns;
    }
    printf("reset,%s,ns_of_%zu_objects,%.0f\n", v->name, count, best);
    if (count == 1)
      first = best;
    last = best;
  }
  printf("reset,%s,most_to_one,%.2f\n", v->name,
         first > 0 ? last / first : last);
}

int
main(int argument_count, char **arguments)
{
  state s = state_begin();
  for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
    if (argument_count < 3)
      measure(&s, &variants[i]);
    else if (strcmp(arguments[1], variants[i].name) == 0)
      variants[i].run(&s, strtoul(arguments[2], NULL, 10));
  }
  tn_bump_destroy(&s.bump);
  tn_checked_destroy(&s.checked);
  free(s.blocks);
  return 0;
}
