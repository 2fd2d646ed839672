/* tuned_frame.c -- scratch space of one frame, and one too large for it
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

SITE void
hash_name(unsigned size)
{
  char *const lower = malloc(size);  // truth: stack
  use(lower, size);
  free(lower);
  corpus_sum++;
}

SITE void
count_letters(void)
{
  unsigned *const counts = calloc(64, sizeof *counts);  // truth: stack
  counts[3] = 1;
  use(counts, 64);
  free(counts);
  corpus_sum++;
}

SITE void
walk(int depth)
{
  char *const mark = malloc(24);  // truth: stack
  use(mark, 24);
  if (depth > 0) {
    walk(depth - 1);
    walk(depth - 1);
  }
  free(mark);
  corpus_sum++;
}

SITE void
sort_large(void)
{
  const unsigned size = 900000 + below(200000);
  char *const spare = malloc(size);  // truth: heap
  use(spare, size);
  free(spare);
  corpus_sum++;
}

int
main(void)
{
  for (int i = 0; i < 3000; i++) {
    hash_name(8 + below(100));
    count_letters();
  }
  for (int i = 0; i < 20; i++) {
    walk(7);
    sort_large();
  }
  return 0;
}
