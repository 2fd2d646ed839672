/* diffusion.c -- locality that decays; work.h
 *
 * Lists whose nodes lie one after another at first; then nodes are freed in one
 * list and taken for another, at random.  How much slower walking the lists
 * becomes, and the memory that no node uses, are two things.  In diffusion_own
 * each list has its nodes from a pool of its own.
 *
 * Source  Lakos, Mendelsohn, Meredith and Myers, On Quantifying Memory-
 *         Allocation Strategies, 2016, its row "diffusion".
 * SPDX-License-Identifier: MIT
 */
#include <tenure/pool.h>

#include "work.h"

enum { LISTS = 400, NODES = 1000 };

typedef struct node {
  struct node *next;
  long value[5];
} node;

static node *lists[LISTS];
static tn_pool pools[LISTS];
static int has_pools;

static void
push(size_t list, long value)
{
  node *const n = has_pools ? tn_pool_alloc(&pools[list]) : malloc(sizeof *n);
  if (!n)
    abort();
  n->value[0] = value;
  n->next = lists[list];
  lists[list] = n;
}

static void
pop(size_t list)
{
  node *const gone = lists[list];
  lists[list] = gone->next;
  if (has_pools)
    tn_pool_free(&pools[list], gone);
  else
    free(gone);
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

/* Each node of the list at t times, on average, goes and comes elsewhere. */
static void
shuffle(int t)
{
  static uint64_t r = 11;
  for (long i = 0; i < (long)LISTS * NODES * t; i++) {
    const uint64_t n = next(&r);
    if (!lists[n % LISTS])
      continue;
    pop(n % LISTS);
    push((n >> 32) % LISTS, i);
  }
}

static void
diffuse(void)
{
  const long before = resident();
  const double live = (double)LISTS * NODES * sizeof(node) / 1024;
  for (size_t k = 0; k < LISTS; k++)
    for (int i = 0; i < NODES; i++)
      push(k, i);
  const double fresh = walk_lists();
  say("fresh_ns", fresh);
  for (int t = 1; t <= 16; t *= 4) {
    char name[40];
    shuffle(t);
    snprintf(name, sizeof name, "slowdown_%d", t);
    say(name, walk_lists() / fresh);
    snprintf(name, sizeof name, "wasted_%d_percent", t);
    say(name, 100.0 * ((double)(resident() - before) - live) / live);
  }
}

static void
row_diffusion(void)
{
  diffuse();
}

static void
row_diffusion_own(void)
{
  has_pools = 1;
  for (size_t k = 0; k < LISTS; k++)
    if (tn_pool_create(&pools[k], sizeof(node), NULL) != TN_OK)
      abort();
  diffuse();
}

const work_row diffusion_rows[] = {
    {"diffusion", row_diffusion},
    {"diffusion_own", row_diffusion_own},
    {NULL, NULL},
};
