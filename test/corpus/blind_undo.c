/* blind_undo.c -- an editor: lines that change, a few marks that stay for good
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { LINES = 5000, MARKS = 3000 };
static char *lines[LINES];
static char *marks[MARKS];
static unsigned marked;

SITE void
write_line(unsigned i)
{
  const unsigned size = 20 + below(260);
  free(lines[i]);
  lines[i] = use(malloc(size), size);  // truth: heap or region
}

SITE void
mark(void)
{
  marks[marked] = use(malloc(40), 40);  // truth: pool or own or region
  marked++;
}

SITE void
close_text(void)
{
  for (unsigned i = 0; i < LINES; i++) {
    free(lines[i]);
    lines[i] = NULL;
  }
}

SITE char *
find(void)
{
  const unsigned size = 16 + below(48);
  char *const pattern = use(malloc(size), size);  // truth: stack
  corpus_sum += (unsigned char)pattern[2];
  free(pattern);
  return NULL;
}

int
main(void)
{
  for (int text = 0; text < 5; text++) {
    for (unsigned i = 0; i < LINES; i++) {
      write_line(i);
      if (i % 12 == 5)
        mark();
      if (i % 4 == 0)
        find();
    }
    close_text();
  }
  return 0;
}
