/* blind_graph.c -- edges for good, searches with queues, labels that change
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { NODES = 300 };

typedef struct step {
  struct step *next;
  int node;
} step;

static int *edges[NODES];
static char *labels[NODES];

SITE void
add_edges(int node)
{
  const unsigned count = 2 + below(14);
  edges[node] =
      use(malloc(count * sizeof(int)), count * sizeof(int));  // truth: heap
  edges[node][0] = (int)below(NODES);
  edges[node][1] = (int)below(NODES);
}

SITE step *
make_step(int node)
{
  step *const s =
      malloc(sizeof *s);  // truth: ring or pool or scratch in search
  *s = (step){NULL, node};
  return s;
}

SITE unsigned char *
make_marks(void)
{
  return calloc(NODES, 1);  // truth: scratch in search or stack or pool
}

SITE void
search(int from)
{
  unsigned char *const seen = make_marks();
  step *first = make_step(from), *last = first;
  while (first) {
    for (int k = 0; k < 2; k++) {
      const int to = edges[first->node][k];
      if (seen[to])
        continue;
      seen[to] = 1;
      last = last->next = make_step(to);
    }
    step *const next = first->next;
    free(first);
    first = next;
  }
  free(seen);
  corpus_sum++;
}

SITE void
relabel(void)
{
  const unsigned i = below(NODES), size = 1 + below(200);
  free(labels[i]);
  labels[i] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < NODES; i++)
    add_edges(i);
  for (int i = 0; i < 60; i++) {
    search((int)below(NODES));
    for (int k = 0; k < 40; k++)
      relabel();
  }
  return 0;
}
