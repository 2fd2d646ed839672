/* report_tree.h -- the stacks of a run as one tree of functions, cut to size
 *
 * Stacks that differ only in the line of a call, or in the module's load
 * address, become one; inlined functions become nodes of their own.  What
 * matters nowhere is added to its caller as the rest.
 *
 * Invariants
 *   [tree.sum]  the values of all nodes sum to those of all paths.
 * Threads   one.
 * Tests     test/trace/test_report.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_REPORT_TREE_H
#define TNI_TRACE_REPORT_TREE_H

#include "trace/analysis.h"

enum { TNI_TREE_VALUES = 4 };  // bytes, blocks, peak bytes, left bytes

typedef struct tni_tree_node {
  uint32_t parent;  // index, less than its own; of the root: 0
  const char *function;
  const char *module;                // base name; "" unknown
  uint64_t values[TNI_TREE_VALUES];  // of stacks that end here
  uint64_t instants[TNI_INSTANTS];   // live bytes of those
} tni_tree_node;

typedef struct tni_tree {
  tni_tree_node *nodes;  // [0]: the root
  size_t count, room;
} tni_tree;

/* At most about `most` nodes. */
void tni_tree_init(tni_tree *tree, tni_analysis *a, size_t most);
void tni_tree_fini(tni_tree *tree);

#endif
