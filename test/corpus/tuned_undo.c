/* tuned_undo.c -- undo records in order, packets in order, lines that change size
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { DEPTH = 100, LINES = 80 };
static void *undo[DEPTH];
static void *packets[DEPTH];
static char *lines[LINES];
static void *jobs[DEPTH];

SITE void
note_undo(unsigned turn)
{
  const unsigned size = 10 + below(400);
  free(undo[turn % DEPTH]);
  undo[turn % DEPTH] = use(malloc(size), size);  // truth: ring
}

SITE void
receive(unsigned turn)
{
  const unsigned size = 60 + below(1400);
  free(packets[turn % DEPTH]);
  packets[turn % DEPTH] = use(malloc(size), size);  // truth: ring
}

SITE void
edit(void)
{
  const unsigned i = below(LINES), size = 1 + below(300);
  lines[i] = use(realloc(lines[i], size), size);  // truth: heap
}

SITE void
post_job(unsigned turn)
{
  free(jobs[turn % DEPTH]);
  jobs[turn % DEPTH] = use(malloc(64), 64);  // truth: ring or pool
}

int
main(void)
{
  for (unsigned i = 0; i < 4000; i++) {
    note_undo(i);
    edit();
    post_job(i);
    receive(i);
  }
  return 0;
}
