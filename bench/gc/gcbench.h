/* gcbench.h -- after GCBench (Ellis, Kovac, Boehm): trees both ways
 *
 * A stretch tree, a long-lived tree and a long-lived array of numbers; then, at
 * each depth, trees populated from the top (writes into older objects) and
 * built from the bottom.  size is the depth of the long-lived tree.
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_GC_GCBENCH_H
#define BENCH_GC_GCBENCH_H

#include "trees.h"

#define GCBENCH_LEAST 4u

static void
gcbench_populate(bench *b, tn_ref node, unsigned depth)
{
  if (depth == 0)
    return;
  TN_ROOTS(b->m, r, node, child);
  r.node = node;
  r.child = bench_new_node(b);
  tn_gc_write(b->m, r.node, &BENCH_NODE(r.node)->left, r.child);
  r.child = bench_new_node(b);
  tn_gc_write(b->m, r.node, &BENCH_NODE(r.node)->right, r.child);
  gcbench_populate(b, BENCH_NODE(r.node)->left, depth - 1);
  gcbench_populate(b, BENCH_NODE(r.node)->right, depth - 1);
}

static size_t
gcbench_tree_size(unsigned depth)
{
  return ((size_t)2 << depth) - 1;
}

static void
gcbench_depth(bench *b, unsigned depth, unsigned stretch)
{
  const size_t rounds =
      2 * gcbench_tree_size(stretch) / gcbench_tree_size(depth);
  TN_ROOTS(b->m, r, tree);
  for (size_t i = 0; i < rounds; i++) {
    r.tree = bench_new_node(b);
    gcbench_populate(b, r.tree, depth);
    r.tree = TN_REF_NULL;
  }
  size_t check = 0;
  for (size_t i = 0; i < rounds; i++)
    check += trees_count(trees_make(b, depth));
  if (!b->quiet)
    printf("%zu\t trees of depth %u\t check: %zu\n", rounds, depth, check);
}

static void
gcbench_run(bench *b)
{
  const unsigned most = b->size > 6 ? (unsigned)b->size : 6;
  const size_t numbers = ((size_t)1 << most) * 8;
  (void)trees_make(b, most + 2);
  TN_ROOTS(b->m, r, tree, array);
  r.tree = bench_new_node(b);
  gcbench_populate(b, r.tree, most);
  r.array =
      bench_need(tn_gc_new_array(b->m, b->bytes, numbers * sizeof(double)));
  for (unsigned depth = GCBENCH_LEAST; depth <= most; depth += 2)
    gcbench_depth(b, depth, most + 2);
  if (!b->quiet)
    printf("long lived tree of depth %u\t check: %zu\n", most,
           trees_count(r.tree));
}

#endif
