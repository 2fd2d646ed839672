/* calls.c -- each function of the allocator, a known number of times
 *
 * Prints what it did: allocations, resizes, frees, bytes of the allocations.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile sink;

int
main(int argc, char **argv)
{
  const int rounds = argc > 1 ? atoi(argv[1]) : 100;
  static char buffer[512];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  for (int i = 0; i < rounds; i++) {
    void *p = NULL;
    errno = 77;
    sink = malloc(10);
    free(sink);
    sink = calloc(3, 7);
    free(sink);
    sink = realloc(NULL, 5);
    sink = realloc(sink, 5000);
    sink = reallocarray(sink, 100, 100);
    sink = realloc(sink, 0);
    sink = memalign(64, 100);
    free(sink);
    sink = aligned_alloc(32, 64);
    free(sink);
    if (posix_memalign(&p, 128, 11) == 0)
      free(p);
    sink = valloc(17);
    free(sink);
    sink = pvalloc(18);
    free(sink);
    sink = strdup("text");
    free(sink);
    free(NULL);
    if (errno != 77)
      return 4;
    sink = malloc((size_t)1 << 62);
    sink = realloc(malloc(8), (size_t)1 << 62);
  }
  printf("%d %d %d\n", 10 * rounds, 2 * rounds, 9 * rounds);
  fflush(stdout);
  return 3;
}
