/* leaks.c -- blocks that are lost in each way, and blocks that are not
 *
 * Lost: one alone, the second of a chain with its head, a ring, one that a lost
 * block with a mapping of its own knows, one that only a function's dead frame
 * knows.  Kept: a list
 * in a global, one by a pointer into its middle, one in thread data, and one
 * that only a mapping of the program's knows.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct node {
  struct node *next;
  long value[3];
};

static struct node *list;
static char *middle;
static void **mapped;
static __thread void *thread_data;

static void
lose_one(void)
{
  void *volatile p = malloc(100);
  (void)p;
}

static void
lose_chain(void)
{
  struct node *volatile a = calloc(1, sizeof *a);
  a->next = calloc(1, sizeof *a);
}

static void
lose_ring(void)
{
  struct node *volatile a = malloc(sizeof *a);
  struct node *volatile b = malloc(sizeof *a);
  a->next = b;
  b->next = a;
}

/* So large that it is given a mapping of its own, which is no root. */
static void
lose_large(void)
{
  void **volatile a = malloc(200000);
  a[9] = malloc(40);
}

/* What lies beyond the stack pointer is no root. */
static void
lose_deep(void)
{
  void *volatile frame[1 << 15];
  frame[3] = malloc(300);
}

/* A page of its own: next to others it would become one mapping with them. */
static void **
map_alone(void)
{
  char *const p =
      mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE);
  return (void **)(p + 4096);
}

int
main(void)
{
  char clobber[4096];
  for (int i = 0; i < 3; i++) {
    struct node *const x = malloc(sizeof *x);
    x->next = list;
    list = x;
  }
  middle = malloc(200);
  middle += 50;
  thread_data = malloc(77);
  mapped = map_alone();
  mapped[3] = malloc(24);
  lose_one();
  lose_chain();
  lose_ring();
  lose_large();
  lose_deep();
  for (int i = 0; i < 1000; i++)
    free(malloc((size_t)i));
  memset(clobber, 1, sizeof clobber);
  return *(volatile char *)&clobber[5] == 2;
}
