/* study_sort.c -- an outer sort: runs, records, merge buffers, names of files
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static char *records[600];
static char *names[64];
static unsigned *numbers[120];

SITE void
read_record(int i)
{
  const unsigned size = 40 + below(200);
  records[i] = use(malloc(size), size);  // truth: region or scratch in sort_run
}

SITE void
compare(void)
{
  unsigned *const pair = malloc(32);  // truth: stack
  pair[0] = below(9);
  corpus_sum += pair[0];
  __asm__ volatile("" ::"r"(pair) : "memory");
  free(pair);
}

SITE void
name_run(void)
{
  const unsigned i = below(64), size = 10 + below(50);
  free(names[i]);
  names[i] = use(malloc(size), size);  // truth: heap
}

SITE void
take_number(void)
{
  const unsigned i = below(120);
  free(numbers[i]);
  numbers[i] = use(malloc(16), 16);  // truth: pool
}

SITE void
sort_run(void)
{
  for (int i = 0; i < 600; i++)
    read_record(i);
  for (int i = 0; i < 800; i++)
    compare();
  for (int i = 0; i < 300; i++)
    take_number();
  for (int i = 0; i < 40; i++)
    name_run();
  for (int i = 0; i < 600; i++)
    free(records[(i * 7) % 600]);
  corpus_sum++;
}

SITE void *
map_file(void)
{
  return use(malloc(100000), 100000);  // truth: heap
}

int
main(void)
{
  void *const file = map_file();
  for (int i = 0; i < 15; i++)
    sort_run();
  free(file);
  return 0;
}
