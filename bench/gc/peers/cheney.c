/* cheney.c -- what semi and none are measured against, by hand
 *
 *   cheney binary-trees|alloc SIZE HEAP_BYTES
 *
 * Objects are laid out as Tenure's: a header word, which is a type or a copy's
 * address, and two references.  binary-trees copies between two contiguous
 * halves (Cheney 1970), its roots are on a stack of their own.  alloc bumps,
 * zeroes a piece of 32 KiB at a time, checks a limit and writes a header.
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct node {
  struct node *left;
  struct node *right;
} node;

#define BYTES     (sizeof(uintptr_t) + sizeof(node))
#define PIECE     ((size_t)32768)
#define HEADER(n) (((char **)(n))[-1])

static char type[16];  // stands for what describes a node

static char *half[2];
static size_t half_size;
static int current;
static char *cursor, *piece, *end;  // of the half: free from cursor on
static node *root[256];
static size_t roots;

static node *
forward(node *n, char **to)
{
  if (!n)
    return NULL;
  if ((uintptr_t)HEADER(n) & 1)
    return (node *)(void *)(HEADER(n) - 1);
  node *const copy = (node *)(*to + sizeof(uintptr_t));
  memcpy(*to, (char *)n - sizeof(uintptr_t), BYTES);
  *to += BYTES;
  HEADER(n) = (char *)copy + 1;
  return copy;
}

static void
collect(void)
{
  current = !current;
  char *scan = half[current];
  char *to = scan;
  for (size_t i = 0; i < roots; i++)
    root[i] = forward(root[i], &to);
  for (; scan < to; scan += BYTES) {
    node *const n = (node *)(scan + sizeof(uintptr_t));
    n->left = forward(n->left, &to);
    n->right = forward(n->right, &to);
  }
  cursor = piece = to;
  end = half[current] + half_size;
}

__attribute__((noinline)) static void
refill(void)
{
  if (piece + PIECE > end)
    collect();
  if (piece + PIECE > end)
    exit(3);
  memset(cursor, 0, (size_t)(piece + PIECE - cursor));
  piece += PIECE;
}

static inline node *
new_node(void)
{
  if (__builtin_expect(cursor + BYTES > piece, 0))
    refill();
  node *const n = (node *)(cursor + sizeof(uintptr_t));
  cursor += BYTES;
  HEADER(n) = type;
  return n;
}

static node *
make(unsigned depth)
{
  if (depth == 0)
    return new_node();
  node **const mine = root + roots;
  mine[0] = mine[1] = NULL;
  roots += 2;
  mine[0] = make(depth - 1);
  mine[1] = make(depth - 1);
  node *const n = new_node();
  n->left = mine[0];
  n->right = mine[1];
  roots -= 2;
  return n;
}

static size_t
count(const node *n)
{
  return n->left ? 1 + count(n->left) + count(n->right) : 1;
}

static void
trees(unsigned most)
{
  printf("stretch tree of depth %u\t check: %zu\n", most + 1,
         count(make(most + 1)));
  root[roots++] = NULL;
  root[0] = make(most);
  for (unsigned depth = 4; depth <= most; depth += 2) {
    const size_t rounds = (size_t)1 << (most - depth + 4);
    size_t check = 0;
    for (size_t i = 0; i < rounds; i++)
      check += count(make(depth));
    printf("%zu\t trees of depth %u\t check: %zu\n", rounds, depth, check);
  }
  printf("long lived tree of depth %u\t check: %zu\n", most, count(root[0]));
}

int
main(int argc, char **argv)
{
  if (argc != 4)
    return 2;
  const size_t size = strtoull(argv[2], NULL, 10);
  half_size = strtoull(argv[3], NULL, 10) / 2 / PIECE * PIECE;
  const int is_alloc = strcmp(argv[1], "alloc") == 0;
  half_size *= is_alloc ? 2 : 1;
  half[0] = aligned_alloc(4096, half_size);
  half[1] = is_alloc ? half[0] : aligned_alloc(4096, half_size);
  if (!half[0] || !half[1])
    return 3;
  cursor = piece = half[0];
  end = half[0] + half_size;
  if (!is_alloc) {
    trees((unsigned)size);
    return 0;
  }
  size_t made = 0;
  for (size_t i = 0; i < size; i++) {
    node *const n = new_node();
    __asm__ volatile("" : : "r"(n) : "memory");
    made += n != NULL;
  }
  printf("alloc %zu\t check: %zu\n", size, made);
  return 0;
}
