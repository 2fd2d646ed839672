/* vector_bump.c -- add two vectors, return the first element: in a scope
 * SPDX-License-Identifier: MIT */
#include "ops_bump.h"
#include "root.h"

static int
add_two(allocator a)
{
  SCRATCH(t, a, 64);
  const vector x = vec(t, 2, (float[]){1, 2});
  const vector y = vec(t, 2, (float[]){3, 4});
  const vector sum = add_vv(t, x, y);
  return (int)sum.data[0];
}

void
workload_open(uint32_t n)
{
  (void)n;
  root_open();
}

uint64_t
workload_run(uint32_t steps)
{
  uint64_t total = 0;
  for (uint32_t i = 0; i < steps; i++)
    total = total * 3 + (uint64_t)add_two(&root);
  return total;
}
