/* call_trees.c -- a program of random call trees that knows what holds its blocks
 *
 *     call_trees TREES SEED
 *
 * Five functions call one another, allocate and free at random; after each call
 * returned its caller allocates too, so that the return is seen.  A block is
 * held by the innermost activation that is on the stack when it comes and still
 * when it goes.  Prints, for each function that allocates, how many blocks are
 * held 0, 1, ... 7 or more calls further out.
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS = 5, DEPTH = 12, BLOCKS = 64, STEPS = 60, LEVELS = 8 };

static uint64_t state;
static uint64_t activations;
static uint64_t stack[DEPTH];
static int depth;
static int steps;
static struct {
  void *p;
  uint64_t stack[DEPTH];
  int depth, function;
} blocks[BLOCKS];
static long held[FUNCTIONS][LEVELS];

static unsigned
pick(unsigned n)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % n;
}

static void
note_alloc(int b, void *p, int function)
{
  blocks[b].p = p;
  blocks[b].depth = depth;
  blocks[b].function = function;
  memcpy(blocks[b].stack, stack, sizeof stack);
}

static void *
note_free(int b)
{
  int common = 0;
  while (common < depth && common < blocks[b].depth &&
         stack[common] == blocks[b].stack[common])
    common++;
  const int level = blocks[b].depth - common;
  held[blocks[b].function][level < LEVELS ? level : LEVELS - 1]++;
  void *const p = blocks[b].p;
  blocks[b].p = NULL;
  return p;
}

static void
enter(void)
{
  stack[depth++] = ++activations;
}

/* Each function is entered and left by itself, and calls the allocator itself;
 * what it calls is chosen at each of three places. */
#define FUNCTION(number, first, second, third)                                 \
  static __attribute__((noinline)) void f##number(void)                        \
  {                                                                            \
    volatile char frame[32 + 48 * number];                                     \
    frame[0] = 0;                                                              \
    enter();                                                                   \
    while (steps-- > 0) {                                                      \
      const int b = (int)pick(BLOCKS);                                         \
      const unsigned what = pick(6);                                           \
      if (what == 0 && depth > 1)                                              \
        break;                                                                 \
      if (what <= 2 && depth < DEPTH) {                                        \
        switch (pick(3)) {                                                     \
        case 0: first(); break;                                                \
        case 1: second(); break;                                               \
        default: third(); break;                                               \
        }                                                                      \
        free(malloc(24)); /* the return is seen */                             \
        held[number][0]++;                                                     \
      } else if (what == 3 && blocks[b].p) {                                   \
        free(note_free(b));                                                    \
      } else if (what > 3 && blocks[b].p == NULL) {                            \
        note_alloc(b, malloc(16 + 8 * (unsigned)b), number);                   \
      }                                                                        \
    }                                                                          \
    if (depth == 1)                                                            \
      for (int b = 0; b < BLOCKS; b++)                                         \
        if (blocks[b].p)                                                       \
          free(note_free(b));                                                  \
    depth--;                                                                   \
  }

static void f0(void), f1(void), f2(void), f3(void), f4(void);
FUNCTION(0, f0, f1, f2)
FUNCTION(1, f3, f4, f0)
FUNCTION(2, f1, f2, f3)
FUNCTION(3, f4, f0, f1)
FUNCTION(4, f2, f3, f4)

int
main(int argc, char **argv)
{
  if (argc != 3)
    return 2;
  state = strtoull(argv[2], NULL, 10) + 1;
  for (long tree = strtol(argv[1], NULL, 10); tree > 0; tree--) {
    steps = STEPS;
    f0();
    free(malloc(8));
  }
  for (int f = 0; f < FUNCTIONS; f++) {
    for (int level = 0; level < LEVELS; level++)
      printf("%ld ", held[f][level]);
    printf("\n");
  }
  return 0;
}
