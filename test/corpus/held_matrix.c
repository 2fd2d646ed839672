/* held_matrix.c -- temporaries of one frame, a list that doubles, big buffers
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

SITE void
multiply_row(void)
{
  double *const row = malloc(32 * sizeof *row);  // truth: stack
  use(row, 32 * sizeof *row);
  free(row);
  corpus_sum++;
}

SITE void
swap_rows(unsigned size)
{
  char *const spare = malloc(size);  // truth: stack
  use(spare, size);
  free(spare);
  corpus_sum++;
}

SITE void
collect(void)
{
  unsigned *list = NULL;
  const unsigned count = 500 + below(1000);
  unsigned room = 0;
  for (unsigned i = 0; i < count; i++) {
    if (i == room) {
      room = room ? 2 * room : 4;
      list = realloc(list, room * 4);  // truth: grow or scratch in collect
    }
    list[i] = i;
  }
  use(list, count);
  free(list);
  corpus_sum++;
}

SITE void *
new_matrix(unsigned size)
{
  return use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  void *matrices[4];
  for (int i = 0; i < 4; i++)
    matrices[i] = new_matrix(500000 + below(500000));
  for (int i = 0; i < 3000; i++) {
    multiply_row();
    swap_rows(64 + below(192));
    if (i % 10 == 0)
      collect();
  }
  for (int i = 3; i >= 0; i--)
    free(matrices[i]);
  return 0;
}
