/* leaks.c -- blocks that are lost in each way, and blocks that are not
 *
 * Lost: one alone, the second of a chain with its head, a ring.  Kept: a list
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
  mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
  mapped[3] = malloc(24);
  lose_one();
  lose_chain();
  lose_ring();
  for (int i = 0; i < 1000; i++)
    free(malloc((size_t)i));
  memset(clobber, 1, sizeof clobber);
  return *(volatile char *)&clobber[5] == 2;
}
