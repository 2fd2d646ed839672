/* report_tree.c -- stacks as a tree of functions; see report_tree.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/report_tree.h"

#include <stdlib.h>

typedef struct tree_sum {
  uint64_t values[TNI_TREE_VALUES];
} tree_sum;

typedef struct tree_maker {
  tni_tree *tree;
  tni_analysis *a;
  tree_sum *sums;    // by node of the trace, callees included
  uint32_t *made;    // by node of the trace: node of the tree + 1
  tni_map children;  // (parent, function text): node
} tree_maker;

static tree_sum
tree_values(const tni_path *path)
{
  return (tree_sum){{path->bytes, path->blocks - path->resizes,
                     path->peak_bytes, path->left_bytes}};
}

static void
tree_add(tree_sum *to, const tree_sum *from)
{
  for (int v = 0; v < TNI_TREE_VALUES; v++)
    to->values[v] += from->values[v];
}

static void
tree_sum_up(tree_maker *m)
{
  for (size_t i = 1; i < m->a->path_count; i++) {
    const tree_sum values = tree_values(&m->a->paths[i]);
    tree_add(&m->sums[m->a->paths[i].node], &values);
  }
  for (uint32_t node = tni_trace_nodes(m->a->trace); node-- > 1;)
    tree_add(&m->sums[tni_trace_node_at(m->a->trace, node)->parent],
             &m->sums[node]);
}

/* The largest share that a node has of any value. */
static double
tree_share(const tree_maker *m, uint32_t node)
{
  double share = 0;
  for (int v = 0; v < TNI_TREE_VALUES; v++) {
    const uint64_t whole = m->sums[0].values[v];
    const double part =
        whole ? (double)m->sums[node].values[v] / (double)whole : 0;
    share = part > share ? part : share;
  }
  return share;
}

/* The least share that a node needs for at most `most` to be kept. */
static double
tree_threshold(const tree_maker *m, size_t most)
{
  double threshold = 0.0002;
  for (;; threshold *= 1.5) {
    size_t count = 0;
    for (uint32_t node = 1; node < tni_trace_nodes(m->a->trace); node++)
      count += tree_share(m, node) >= threshold;
    if (count <= most)
      return threshold;
  }
}

static uint32_t
tree_child(tree_maker *m, uint32_t parent, const char *function,
           const char *module)
{
  bool is_new;
  uint32_t *const at = tni_map_enter(&m->children, parent,
                                     (uint64_t)(uintptr_t)function, &is_new);
  if (is_new) {
    m->tree->nodes = tni_store_grow(m->tree->nodes, &m->tree->room,
                                    m->tree->count + 1, sizeof *m->tree->nodes);
    *at = (uint32_t)m->tree->count;
    m->tree->nodes[m->tree->count++] = (tni_tree_node){
        .parent = parent, .function = function, .module = module};
  }
  return *at;
}

/* The nodes of one frame: what was inlined there comes inside. */
static uint32_t
tree_frame(tree_maker *m, uint32_t parent, uint32_t frame)
{
  if (frame == TNI_TRACE_NONE)
    return tree_child(m, parent, "(more outside)", "");
  const tni_place *const place = tni_names_place(&m->a->names, frame);
  const char *const module =
      tni_symbols_base(tni_symbols_path(m->a->names.symbols, place->module));
  for (uint32_t i = place->count; i-- > 0;)
    if (place->frames[i].function)
      parent = tree_child(m, parent, place->frames[i].function, module);
  return parent;
}

/* To the nearest node that was kept: so that nothing is lost ([tree.sum]). */
static void
tree_add_path(tree_maker *m, const tni_path *path)
{
  uint32_t node = path->node;
  while (m->made[node] == 0)
    node = tni_trace_node_at(m->a->trace, node)->parent;
  tni_tree_node *const to = &m->tree->nodes[m->made[node] - 1];
  const tree_sum values = tree_values(path);
  for (int v = 0; v < TNI_TREE_VALUES; v++)
    to->values[v] += values.values[v];
  for (uint32_t t = 0; t < TNI_INSTANTS; t++)
    to->instants[t] += tni_analysis_at(m->a, path, t);
}

void
tni_tree_init(tni_tree *tree, tni_analysis *a, size_t most)
{
  const uint32_t nodes = tni_trace_nodes(a->trace);
  *tree = (tni_tree){0};
  tree_maker m = {.tree = tree, .a = a};
  m.sums = tni_store_get(nodes, sizeof *m.sums);
  m.made = tni_store_get(nodes, sizeof *m.made);
  tree_sum_up(&m);
  const double threshold = tree_threshold(&m, most);
  tree->nodes = tni_store_grow(NULL, &tree->room, 1, sizeof *tree->nodes);
  tree->nodes[0].function = "all";
  tree->nodes[0].module = "";
  tree->count = 1;
  m.made[0] = 1;
  /* Parents come before their children. */
  for (uint32_t node = 1; node < nodes; node++) {
    const tni_trace_node *const n = tni_trace_node_at(a->trace, node);
    if (m.made[n->parent] && tree_share(&m, node) >= threshold)
      m.made[node] = tree_frame(&m, m.made[n->parent] - 1, n->frame) + 1;
  }
  for (size_t i = 1; i < a->path_count; i++)
    tree_add_path(&m, &a->paths[i]);
  free(m.sums);
  free(m.made);
  tni_map_fini(&m.children);
}

void
tni_tree_fini(tni_tree *tree)
{
  free(tree->nodes);
  *tree = (tni_tree){0};
}
