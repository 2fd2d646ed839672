/* trees_libgc.c -- binary trees and gcbench on Debian's libgc
 *
 *   trees_libgc binary-trees|gcbench SIZE HEAP_BYTES
 * SPDX-License-Identifier: MIT
 */
#include <gc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct node {
  struct node *left;
  struct node *right;
} node;

static node *
new_node(void)
{
  node *const n = GC_MALLOC(sizeof *n);
  if (!n)
    exit(3);
  return n;
}

static node *
make(unsigned depth)
{
  if (depth == 0)
    return new_node();
  node *const left = make(depth - 1);
  node *const right = make(depth - 1);
  node *const n = new_node();
  n->left = left;
  n->right = right;
  return n;
}

static size_t
count(const node *n)
{
  return n->left ? 1 + count(n->left) + count(n->right) : 1;
}

static void
populate(node *n, unsigned depth)
{
  if (depth == 0)
    return;
  n->left = new_node();
  n->right = new_node();
  populate(n->left, depth - 1);
  populate(n->right, depth - 1);
}

static void
trees(unsigned most)
{
  printf("stretch tree of depth %u\t check: %zu\n", most + 1,
         count(make(most + 1)));
  node *const tree = make(most);
  for (unsigned depth = 4; depth <= most; depth += 2) {
    const size_t rounds = (size_t)1 << (most - depth + 4);
    size_t check = 0;
    for (size_t i = 0; i < rounds; i++)
      check += count(make(depth));
    printf("%zu\t trees of depth %u\t check: %zu\n", rounds, depth, check);
  }
  printf("long lived tree of depth %u\t check: %zu\n", most, count(tree));
}

static size_t
tree_size(unsigned depth)
{
  return ((size_t)2 << depth) - 1;
}

static void
gcbench(unsigned most)
{
  (void)make(most + 2);
  node *const tree = new_node();
  populate(tree, most);
  double *const numbers =
      GC_MALLOC_ATOMIC(((size_t)1 << most) * 8 * sizeof(double));
  for (unsigned depth = 4; depth <= most; depth += 2) {
    const size_t rounds = 2 * tree_size(most + 2) / tree_size(depth);
    size_t check = 0;
    for (size_t i = 0; i < rounds; i++)
      populate(new_node(), depth);
    for (size_t i = 0; i < rounds; i++)
      check += count(make(depth));
    printf("%zu\t trees of depth %u\t check: %zu\n", rounds, depth, check);
  }
  printf("long lived tree of depth %u\t check: %zu\n", most, count(tree));
  if (!numbers)
    exit(3);
}

int
main(int argc, char **argv)
{
  if (argc != 4)
    return 2;
  GC_INIT();
  GC_set_max_heap_size((GC_word)strtoull(argv[3], NULL, 10));
  (strcmp(argv[1], "gcbench") == 0 ? gcbench : trees)(
      (unsigned)strtoul(argv[2], NULL, 10));
  return 0;
}
