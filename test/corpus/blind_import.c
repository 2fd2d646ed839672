/* blind_import.c -- much is read, little of it stays, between what goes
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { ROWS = 6000, KEPT = 4000 };
static char *rows[ROWS];
static char *index_of[KEPT];
static char *views[200];
static unsigned kept;

SITE void
read_row(int i)
{
  const unsigned size = 150 + below(250);
  rows[i] = use(malloc(size), size);  // truth: region
}

SITE void
index_row(void)
{
  const unsigned size = 20 + below(40);
  index_of[kept++] = use(malloc(size), size);  // truth: own or region
}

SITE void
drop_rows(void)
{
  for (int i = 0; i < ROWS; i++)
    free(rows[(i * 7) % ROWS]);
}

SITE void
show(void)
{
  const unsigned i = below(200), size = 5000 + below(4000);
  free(views[i]);
  views[i] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int file = 0; file < 4; file++) {
    for (int i = 0; i < ROWS; i++) {
      read_row(i);
      if (i % 10 == 0)
        index_row();
    }
    drop_rows();
    for (int i = 0; i < 1500; i++)
      show();
  }
  return 0;
}
