/* blind_parser.c -- a calculator: tokens, trees, names, numbers as text
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct tree {
  struct tree *left, *right;
  char *text;
} tree;

static char *names[200];
static char *messages[4];
static int tokens;

SITE void
read_number(void)
{
  char *const digits = use(malloc(48), 48);  // truth: stack
  corpus_sum += (unsigned char)digits[3];
  free(digits);
}

SITE char *
token_text(void)
{
  const unsigned size = 2 + below(30);
  tokens++;
  return use(malloc(size), size);  // truth: scratch in run_statement
}

SITE tree *
make_node(tree *left, tree *right)
{
  tree *const t = malloc(sizeof *t);  // truth: scratch in run_statement
  *t = (tree){left, right, token_text()};
  return t;
}

SITE tree *
parse(int depth)
{
  read_number();
  if (depth == 0)
    return make_node(NULL, NULL);
  tree *const left = parse(depth - 1);
  tree *const right = below(3) ? parse(depth - 1) : NULL;
  return make_node(left, right);
}

SITE void
drop(tree *t)
{
  if (t == NULL)
    return;
  drop(t->left);
  drop(t->right);
  free(t->text);
  free(t);
  corpus_sum++;
}

SITE void
define_name(void)
{
  const unsigned i = below(200), size = 3 + below(60);
  free(names[i]);
  names[i] = use(malloc(size), size);  // truth: heap
}

SITE void
complain(int i)
{
  free(messages[i % 4]);
  messages[i % 4] = use(malloc(120), 120);  // truth: heap
}

SITE void
run_statement(int i)
{
  tree *const t = parse(3);
  for (int k = 0; k < 8; k++)
    define_name();
  if (i % 40 == 0)
    complain(i);
  drop(t);
  corpus_sum++;
}

int
main(void)
{
  for (int i = 0; i < 400; i++)
    run_statement(i);
  return tokens == 0;
}
