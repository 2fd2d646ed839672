/* spread.c -- allocations from many places on the stack, or in the code
 *
 *     spread TURNS [wide]
 * Each turn allocates and frees at 500 depths of a recursion, which are 1,000
 * stacks of one frame; wide: at 4,096 places of one function, with malloc and
 * valloc.
 * SPDX-License-Identifier: MIT
 */
#include <malloc.h>
#include <stdlib.h>

static void *volatile sink;

static __attribute__((noinline)) int
deeper(int depth)
{
  sink = malloc(24);
  free(sink);
  return depth == 0 ? 0 : 1 + deeper(depth - 1);
}

/* name calls `what` at eight places. */
#define EIGHT(name, what)                                                      \
  static inline __attribute__((always_inline)) void name(                      \
      void *(*allocate)(size_t))                                               \
  {                                                                            \
    what(allocate), what(allocate), what(allocate), what(allocate);            \
    what(allocate), what(allocate), what(allocate), what(allocate);            \
  }
#define ONE(allocate) (sink = allocate(24), free(sink))
EIGHT(wide_8, ONE)
EIGHT(wide_64, wide_8)
EIGHT(wide_512, wide_64)
EIGHT(wide_4096, wide_512)

static __attribute__((noinline)) void
wide(void *(*allocate)(size_t))
{
  wide_4096(allocate);
}

int
main(int argc, char **argv)
{
  int sum = 0;
  for (int turn = argc > 1 ? atoi(argv[1]) : 1; turn != 0; turn--)
    if (argc > 2) {
      wide(malloc);
      wide(valloc);
    } else {
      sum += deeper(499);
    }
  return argc == 2 && sum == 0;
}
