/* test_alloca.c -- TN_ALLOCA gives blocks that are whole, aligned and apart
 *
 * That one which does not fit meets the guard is test/death/stack_alloca.c's.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/stack.h>

#include "test.h"

enum { BLOCKS = 20 };

/* Blocks of size bytes in one function, each filled; all of them are whole at
 * the end, as are the function's variables. */
__attribute__((noinline)) static void
test_size(size_t size)
{
  volatile unsigned char before[64];
  unsigned char *block[BLOCKS];
  for (size_t i = 0; i < sizeof before; i++)
    before[i] = 0xee;
  for (unsigned i = 0; i < BLOCKS; i++) {
    block[i] = TN_ALLOCA(size);
    memset(block[i], (int)i + 1, size);
    TEST((uintptr_t)block[i] % TN_ALIGN == 0);
  }
  for (unsigned i = 0; i < BLOCKS; i++)
    for (size_t k = 0; k < size; k++)
      if (!TEST(block[i][k] == i + 1))
        return;
  for (size_t i = 0; i < sizeof before; i++)
    TEST(before[i] == 0xee);
}

/* A constant size, in a function that has variables of constant size, too. */
__attribute__((noinline)) static unsigned
constant_size(unsigned seed)
{
  unsigned char first[100];
  unsigned char *const p = TN_ALLOCA(5000);
  unsigned char last[100];
  memset(first, (int)seed, sizeof first);
  memset(last, (int)seed + 1, sizeof last);
  memset(p, (int)seed + 2, 5000);
  unsigned sum = 0;
  for (size_t i = 0; i < 100; i++)
    sum += first[i] + last[i];
  for (size_t i = 0; i < 5000; i++)
    sum += p[i];
  return sum;
}

int
main(void)
{
  static const size_t sizes[] = {1,    15,   16,   17,   100,  2047, 2048,
                                 2049, 4095, 4096, 4097, 5000, 20000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    test_size(sizes[i]);
  TEST(TN_ALLOCA(0) != NULL);
  TEST(constant_size(1) == 100 * 3 + 5000 * 3);
  return test_done();
}
