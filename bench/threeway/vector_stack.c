/* vector_stack.c -- add two vectors, return the first element: on the stack
 * SPDX-License-Identifier: MIT */
#define VECTOR_LEN 2
#include "ops_stack.h"

static int
add_two(void)
{
  const vector x = vec((float[]){1, 2});
  const vector y = vec((float[]){3, 4});
  const vector sum = add_vv(x, y);
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
