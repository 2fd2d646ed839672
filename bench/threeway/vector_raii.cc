/* vector_raii.cc -- add two vectors, return the first element: destructors
 * SPDX-License-Identifier: MIT */
#include "ops_raii.hh"

static int
add_two()
{
  const float one[] = {1, 2}, two[] = {3, 4};
  const vector x = vec(2, one);
  const vector y = vec(2, two);
  const vector sum = x + y;
  return static_cast<int>(sum.data()[0]);
}

void
workload_open(uint32_t)
{
}

uint64_t
workload_run(uint32_t steps)
{
  uint64_t total = 0;
  for (uint32_t i = 0; i < steps; i++)
    total = total * 3 + static_cast<uint64_t>(add_two());
  return total;
}
