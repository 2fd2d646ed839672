/* tuned_graph.c -- edges of a graph that dies whole, nodes that come and go
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static void *edges[900];
static int count;
static void *nodes[256];

SITE void
add_edge(void)
{
  edges[count++] = use(malloc(32), 32);  // truth: region or pool
}

SITE void
add_label(void)
{
  const unsigned size = 4 + below(60);
  edges[count++] = use(malloc(size), size);  // truth: region
}

SITE void
read_graph(void)
{
  for (int i = 0; i < 450; i++) {
    add_edge();
    add_label();
  }
}

SITE void
drop_graph(void)
{
  for (int i = 0; i < count; i++)
    free(edges[i]);
  count = 0;
}

SITE void
replace_node(void)
{
  const unsigned i = below(256);
  free(nodes[i]);
  nodes[i] = use(malloc(128), 128);  // truth: pool
}

int
main(void)
{
  for (int i = 0; i < 12; i++) {
    read_graph();
    for (int n = 0; n < 300; n++)
      replace_node();
    drop_graph();
  }
  return 0;
}
