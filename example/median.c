/* median.c -- the median of any number of numbers on standard input
 *
 *     seq 1 1000000 | median
 *
 * Nobody knows how many there will be: they go to a growable array in reserved
 * address space, which never moves, and is contiguous, as qsort wants it.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include <tenure/array.h>
#include <tenure/source.h>

typedef TN_ARRAY(double) numbers;

static int
compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Read numbers until something else comes; false when there is no memory. */
static bool
read_numbers(tn_provider *memory, FILE *from, numbers *into)
{
  double value;
  tn_array_init(into, memory);
  while (fscanf(from, "%lf", &value) == 1) {
    if (tn_array_try_push(into, value) == NULL)
      return false;
  }
  return true;
}

int
main(void)
{
  tn_reserved memory;
  numbers all;
  const tn_reserved_options how = {.asks = true, .name = "numbers"};
  if (tn_reserved_create(&memory, &how) != TN_OK ||
      !read_numbers(&memory.provider, stdin, &all)) {
    fputs("median: out of memory\n", stderr);
    return 1;
  }
  const size_t count = tn_len(&all);
  if (count > 0) {
    qsort(tn_array_at(&all, 0), count, sizeof(double), compare);
    printf("%g\n", (*tn_array_at(&all, (count - 1) / 2) +
                    *tn_array_at(&all, count / 2)) /
                       2);
  }
  tn_reserved_destroy(&memory);
  return 0;
}
