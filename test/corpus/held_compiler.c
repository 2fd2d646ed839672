/* held_compiler.c -- units of nodes that die together, tokens, names
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct node {
  struct node *next;
  char text[];
} node;

static char *names[40];

SITE node *
new_node(node *next)
{
  const unsigned size = (unsigned)sizeof(node) + 8 + below(80);
  node *const n = use(malloc(size), size);  // truth: region
  n->next = next;
  return n;
}

SITE char *
copy_token(void)
{
  const unsigned size = 2 + below(30);
  return use(malloc(size), size);  // truth: scratch in parse_statement
}

SITE node *
parse_statement(node *unit)
{
  char *tokens[16];
  const int count = 3 + (int)below(13);
  for (int i = 0; i < count; i++)
    tokens[i] = copy_token();
  for (int i = 0; i < count; i += 3)
    unit = new_node(unit);
  for (int i = 0; i < count; i++)
    free(tokens[i]);
  corpus_sum++;
  return unit;
}

SITE void
free_unit(node *unit)
{
  while (unit) {
    node *const next = unit->next;
    free(unit);
    unit = next;
  }
}

SITE void
intern(int i)
{
  const unsigned size = 3 + below(20);
  names[i] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < 40; i++)
    intern(i);
  for (int i = 0; i < 60; i++) {
    node *unit = NULL;
    for (int s = 0; s < 50; s++)
      unit = parse_statement(unit);
    free_unit(unit);
  }
  return 0;
}
