/* ops_stack.h -- vectors of a length fixed at compile time, passed by value
 *
 * The vocabulary of the stack arm: nothing is allocated at all.  VECTOR_LEN is
 * the length.
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_OPS_STACK_H
#define THREEWAY_OPS_STACK_H

#include "kernel.h"
#include "workload.h"

typedef struct vector {
  float data[VECTOR_LEN];
} vector;

OP vector
vec(const float *values)
{
  vector out;
  kernel_copy(out.data, values, VECTOR_LEN);
  return out;
}

OP vector
add_vv(vector a, vector b)
{
  vector out;
  kernel_add(out.data, a.data, b.data, VECTOR_LEN);
  return out;
}

OP vector
sub_vv(vector a, vector b)
{
  vector out;
  kernel_sub(out.data, a.data, b.data, VECTOR_LEN);
  return out;
}

OP vector
mul_vv(vector a, vector b)
{
  vector out;
  kernel_mul(out.data, a.data, b.data, VECTOR_LEN);
  return out;
}

OP vector
mul_vs(vector a, float factor)
{
  vector out;
  kernel_scale(out.data, a.data, factor, VECTOR_LEN);
  return out;
}

OP vector
oscillate(vector y)
{
  vector out;
  kernel_oscillate(out.data, y.data, VECTOR_LEN);
  return out;
}

OP float
sum_v(vector a)
{
  return kernel_sum(a.data, VECTOR_LEN);
}

static inline vector
view(const float *data)
{
  vector out;
  kernel_copy(out.data, data, VECTOR_LEN);
  return out;
}

static inline void
copy_to(float *out, vector a)
{
  kernel_copy(out, a.data, VECTOR_LEN);
}

#endif
