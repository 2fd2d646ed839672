/* resize.c -- blocks that are resized and freed, one after the other
 *
 *     resize ROUNDS
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

static void *volatile sink;

int
main(int argc, char **argv)
{
  const int rounds = argc > 1 ? atoi(argv[1]) : 1000;
  for (int i = 0; i < rounds; i++) {
    sink = malloc(100);
    sink = realloc(sink, 3000);
    free(sink);
  }
  return 0;
}
