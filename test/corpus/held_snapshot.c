/* held_snapshot.c -- copies dropped whole, records, paths, few calls
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { MOST = 400 };
static char *copies[MOST];
static int count;

SITE void
copy_record(void)
{
  const unsigned size = 24 + below(200);
  copies[count++] = use(malloc(size), size);  // truth: region
}

SITE void
take_snapshot(void)
{
  for (int i = 0; i < MOST; i++)
    copy_record();
}

SITE void
drop_snapshot(void)
{
  while (count)
    free(copies[--count]);
}

SITE char *
join_path(void)
{
  const unsigned size = 20 + below(100);
  return use(malloc(size), size);  // truth: scratch in visit
}

SITE void
visit(int depth)
{
  char *const path = join_path();
  if (depth > 0)
    for (int i = 0; i < 3; i++)
      visit(depth - 1);
  free(path);
  corpus_sum++;
}

SITE void *
open_log(void)
{
  return use(malloc(4096), 4096);  // truth: heap
}

int
main(void)
{
  void *const log = open_log();
  for (int i = 0; i < 20; i++) {
    take_snapshot();
    visit(5);
    drop_snapshot();
  }
  free(log);
  return 0;
}
