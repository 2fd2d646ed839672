/* single.c -- rows of time with one thread: work.h
 *
 * They print nothing but what they had to compute; run.py measures them.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE

#include "work.h"

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

const work_row single_rows[] = {
    {"small", row_small},   {"trees", row_trees}, {"strings", row_strings},
    {"large", row_large},   {"mixed", row_mixed}, {"calloc", row_calloc},
    {"sparse", row_sparse}, {NULL, NULL},
};
