/* derive.c -- the derivative of a polynomial expression, parsed on scratch
 *
 *     derive 'x*(x+3)*2'
 *
 * The tree and all temporary texts live in scratch arenas: nothing is freed,
 * and only the result is in the arena of whoever asked for it.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include <tenure/scratch.h>

typedef struct node {
  long op, value;  // + or *, x, or 0 for the number value
  const struct node *left, *right;
} node;

/* A node, or the one that it is equal to: a*0 = 0, 0+a = a+0 = a*1 = a. */
static const node *
make(tn_arena *a, node n)
{
  const node *const zero = n.op == '*' ? n.right : n.left;
  if (zero && zero->op == 0 && zero->value == 0)
    return n.right;
  if (n.right && n.right->op == 0 && n.right->value == (n.op == '*'))
    return n.left;
  return tn_arena_copy(a, &n, sizeof n);
}

/* sum = product {+ product}, product = atom {* atom}, atom = x, 12, (sum) */
static const node *
parse(tn_arena *a, char **at, const char *ops)
{
  if (*ops != '\0') {
    const node *n = parse(a, at, ops + 1);
    for (; **at == *ops; n = make(a, (node){*ops, 0, n, parse(a, at, ops + 1)}))
      ++*at;
    return n;
  }
  if (**at != '(')
    return **at == 'x' ? make(a, (node){.op = *(*at)++})
                       : make(a, (node){.value = strtol(*at, at, 10)});
  ++*at;
  const node *const n = parse(a, at, "+*");
  *at += **at == ')';
  return n;
}

static const node *
derive(tn_arena *a, const node *n)
{
  if (n->left == NULL)
    return make(a, (node){.value = n->op == 'x'});
  const node *l = derive(a, n->left), *r = derive(a, n->right);
  l = n->op == '+' ? l : make(a, (node){'*', 0, n->right, l});
  r = n->op == '+' ? r : make(a, (node){'*', 0, n->left, r});
  return make(a, (node){'+', 0, l, r});
}

/* The text goes to out; those of the operands are scratch. */
static const char *
show(tn_arena *out, const node *n)
{
  if (n->left == NULL)
    return n->op ? "x" : tn_arena_printf(out, "%ld", n->value);
  TN_SCRATCH(s, out);
  return tn_arena_printf(out, n->op == '*' ? "%s*%s" : "(%s+%s)",
                         show(s, n->left), show(s, n->right));
}

int
main(int argc, char **argv)
{
  char sample[] = "x*(x+3)*2", *at = argc > 1 ? argv[1] : sample;
  TN_SCRATCH(s, NULL);
  /* What is left of the text could not be read. */
  return puts(show(s, derive(s, parse(s, &at, "+*")))) < 0 || *at != '\0';
}
