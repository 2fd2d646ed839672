/* trees.h -- binary trees, after the Computer Language Benchmarks Game
 *
 * Perfect trees of many depths are made bottom-up, counted and dropped, while
 * one lives long.  The output is the well-known one.
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_GC_TREES_H
#define BENCH_GC_TREES_H

#include "bench.h"

#define TREES_LEAST 4u

/* Its roots are plain variables, which the heap finds on the stack. */
static tn_ref
trees_make_plain(bench *b, unsigned depth)
{
  if (depth == 0)
    return bench_new_node(b);
  const tn_ref left = trees_make_plain(b, depth - 1);
  const tn_ref right = trees_make_plain(b, depth - 1);
  const tn_ref node = bench_new_node(b);
  BENCH_NODE(node)->left = left;
  BENCH_NODE(node)->right = right;
  return node;
}

static tn_ref
trees_make_framed(bench *b, unsigned depth)
{
  if (depth == 0)
    return bench_new_node(b);
  TN_ROOTS(b->m, r, left, right);
  r.left = trees_make_framed(b, depth - 1);
  r.right = trees_make_framed(b, depth - 1);
  const tn_ref node = bench_new_node(b);
  BENCH_NODE(node)->left = r.left;
  BENCH_NODE(node)->right = r.right;
  return node;
}

static tn_ref
trees_make(bench *b, unsigned depth)
{
  return b->plain ? trees_make_plain(b, depth) : trees_make_framed(b, depth);
}

static size_t
trees_count(tn_ref node)
{
  const struct bench_node *const n = BENCH_NODE(node);
  return n->left.at ? 1 + trees_count(n->left) + trees_count(n->right) : 1;
}

static void
trees_round(bench *b, unsigned depth, size_t rounds)
{
  size_t check = 0;
  for (size_t i = 0; i < rounds; i++)
    check += trees_count(trees_make(b, depth));
  if (!b->quiet)
    printf("%zu\t trees of depth %u\t check: %zu\n", rounds, depth, check);
}

static void
trees_run(bench *b)
{
  const unsigned size = (unsigned)b->size;
  const unsigned most = size > TREES_LEAST + 2 ? size : TREES_LEAST + 2;
  const size_t stretch = trees_count(trees_make(b, most + 1));
  if (!b->quiet)
    printf("stretch tree of depth %u\t check: %zu\n", most + 1, stretch);
  TN_ROOTS(b->m, r, tree);
  r.tree = trees_make(b, most);
  for (unsigned depth = TREES_LEAST; depth <= most; depth += 2)
    trees_round(b, depth, (size_t)1 << (most - depth + TREES_LEAST));
  if (!b->quiet)
    printf("long lived tree of depth %u\t check: %zu\n", most,
           trees_count(r.tree));
}

#endif
