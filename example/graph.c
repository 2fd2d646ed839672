/* graph.c -- a cyclic graph whose nodes live and die together
 *
 * Nodes of an arena may point at one another as they like: nobody owns anybody,
 * nobody is freed singly, and a cycle is no leak.  The edges are read from
 * lines "from to"; printed is each group of nodes that reach one another (a
 * strongly connected component, R. Tarjan 1972), one a line.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/arena.h>

#include <stdio.h>
#include <string.h>

typedef struct edge {
  struct node *to;
  struct edge *next;
} edge;

typedef struct node {
  const char *name;
  edge *edges;
  struct node *next, *below;  // in the order read; on Tarjan's stack
  unsigned seen, least;       // when; 0: not yet
  bool is_open;
} node;

static node *
find(tn_arena *arena, node **list, const char *name)
{
  while (*list && strcmp((*list)->name, name) != 0)
    list = &(*list)->next;
  if (!*list)
    *list = tn_arena_copy(arena, &(node){.name = tn_arena_text(arena, name)},
                          sizeof **list);
  return *list;
}

static void
visit(node *n, node **stack, unsigned *clock)
{
  n->seen = n->least = ++*clock;
  n->below = *stack, *stack = n, n->is_open = true;
  for (const edge *e = n->edges; e; e = e->next) {
    if (e->to->seen == 0)
      visit(e->to, stack, clock);
    if (e->to->is_open && e->to->least < n->least)
      n->least = e->to->least;
  }
  while (n->least == n->seen && n->is_open) {
    printf("%s%s", (*stack)->name, *stack == n ? "\n" : " ");
    (*stack)->is_open = false, *stack = (*stack)->below;
  }
}

int
main(void)
{
  tn_arena arena;
  node *nodes = NULL, *stack = NULL;
  char from[64], to[64];
  unsigned clock = 0;
  if (tn_arena_create(&arena, NULL) != TN_OK)
    return 1;
  while (scanf("%63s %63s", from, to) == 2) {
    node *const n = find(&arena, &nodes, from);
    const edge e = {find(&arena, &nodes, to), n->edges};
    n->edges = tn_arena_copy(&arena, &e, sizeof e);
  }
  for (node *n = nodes; n; n = n->next)
    if (n->seen == 0)
      visit(n, &stack, &clock);
  tn_arena_destroy(&arena);
  return 0;
}
