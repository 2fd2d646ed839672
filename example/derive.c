/* derive.c -- the derivative of a polynomial expression, parsed on scratch
 *
 *     derive 'x*(x+3)*2'
 *
 * The tree and all temporary texts live in scratch arenas: nothing is freed,
 * and only the result is in the arena of whoever asked for it.
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <tenure/scratch.h>

typedef struct node {
  char op;  // + - *, x, or 0 for a number
  long value;
  struct node *left, *right;
} node;

static node *
make(tn_arena *a, char op, long value, node *left, node *right)
{
  node *const n = TN_ARENA_NEW(a, node);
  *n = (node){op, value, left, right};
  return n;
}

/* sum = product {+- product}, product = atom {* atom}, atom = x, 12, (sum) */
static node *
parse(tn_arena *a, const char **at, int level)
{
  if (level < 2) {
    node *n = parse(a, at, level + 1);
    while (**at && (level == 0 ? **at == '+' || **at == '-' : **at == '*')) {
      const char op = *(*at)++;
      n = make(a, op, 0, n, parse(a, at, level + 1));
    }
    return n;
  }
  if (*(*at) == '(') {
    ++*at;
    node *const n = parse(a, at, 0);
    *at += **at == ')';
    return n;
  }
  if (isdigit((unsigned char)**at)) {
    char *end;
    node *const n = make(a, 0, strtol(*at, &end, 10), NULL, NULL);
    *at = end;
    return n;
  }
  *at += **at == 'x';
  return make(a, 'x', 0, NULL, NULL);
}

static node *
derive(tn_arena *a, node *n)
{
  if (n->op == '*')
    return make(a, '+', 0, make(a, '*', 0, derive(a, n->left), n->right),
                make(a, '*', 0, n->left, derive(a, n->right)));
  if (n->op == '+' || n->op == '-')
    return make(a, n->op, 0, derive(a, n->left), derive(a, n->right));
  return make(a, 0, n->op == 'x', NULL, NULL);
}

/* The text goes to out; those of the operands are scratch. */
static char *
show(tn_arena *out, const node *n)
{
  if (n->op == 0)
    return tn_arena_printf(out, "%ld", n->value);
  if (n->op == 'x')
    return tn_arena_text(out, "x");
  TN_SCRATCH(s, out);
  const char *const left = show(s, n->left), *const right = show(s, n->right);
  if (n->op == '*' && n->left->op == 0 && n->left->value < 2)
    return tn_arena_text(out, n->left->value ? right : "0");
  if (n->op == '*' && n->right->op == 0 && n->right->value < 2)
    return tn_arena_text(out, n->right->value ? left : "0");
  if (n->op == '+' && (left[0] == '0' || right[0] == '0'))
    return tn_arena_text(out, left[0] == '0' ? right : left);
  return tn_arena_printf(out, n->op == '*' ? "%s%c%s" : "(%s%c%s)", left, n->op,
                         right);
}

int
main(int argc, char **argv)
{
  const char *at = argc > 1 ? argv[1] : "x*(x+3)*2";
  TN_SCRATCH(s, NULL);
  node *const tree = parse(s, &at, 0);
  if (*at != '\0') {
    fprintf(stderr, "derive: cannot read '%s'\n", at);
    return 1;
  }
  TN_SCRATCH(answer, s);
  printf("%s\n", show(answer, derive(s, tree)));
  return 0;
}
