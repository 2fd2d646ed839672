/* vector_raii.c -- add two vectors, return the first element: cleanup attribute
 * SPDX-License-Identifier: MIT */
#include "ops_malloc.h"

// NOLINTBEGIN(clang-analyzer-unix.Malloc): cleanup is not followed.

static int
add_two(void)
{
  OWNED vector x = vec(2, (float[]){1, 2});
  OWNED vector y = vec(2, (float[]){3, 4});
  OWNED vector sum = add_vv(x, y);
  return (int)sum.data[0];
}

void
workload_open(uint32_t n)
{
  (void)n;
}

uint64_t
workload_run(uint32_t steps)
{
  uint64_t total = 0;
  for (uint32_t i = 0; i < steps; i++)
    total = total * 3 + (uint64_t)add_two();
  return total;
}

// NOLINTEND(clang-analyzer-unix.Malloc)
