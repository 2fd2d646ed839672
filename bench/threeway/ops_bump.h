/* ops_bump.h -- vectors that live in a bump allocator's scope
 *
 * The vocabulary of the bump arms: each operation takes an allocator first and
 * returns a vector in it; nothing is freed.  One source serves three arms:
 *
 *   bump      tn_bump: no branch
 *   checked   THREEWAY_CHECKED: tn_checked, which compares and refills
 *   local     THREEWAY_LOCAL: tn_checked whose scopes begin in a local array
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_OPS_BUMP_H
#define THREEWAY_OPS_BUMP_H

#include "kernel.h"
#include "workload.h"

#include <tenure/array.h>
#include <tenure/bump.h>

#if defined(THREEWAY_CHECKED) || defined(THREEWAY_LOCAL)
typedef tn_checked *allocator;
#define PUSH    tn_checked_push
#define PROVIDE tn_checked_provide
typedef tn_checked_provider allocator_provider;
#else
typedef tn_bump *allocator;
#define PUSH    tn_bump_push
#define PROVIDE tn_bump_provide
typedef tn_bump_provider allocator_provider;
#endif

/* A scope for temporaries, whose first bytes are a local array in the arm that
 * is about that. */
#ifdef THREEWAY_LOCAL
#define SCRATCH(child, parent, bytes) TN_LOCAL(child, bytes, parent)
#else
#define SCRATCH(child, parent, bytes) TN_SCOPE(child, parent)
#endif

typedef struct vector {
  float *data;
  uint32_t len;
} vector;

typedef struct matrix {
  float *data;
  uint32_t rows;
  uint32_t cols;
} matrix;

KERNEL vector
new_vector(allocator a, uint32_t len)
{
  return (vector){PUSH(a, len * (uint32_t)sizeof(float)), len};
}

OP vector
vec(allocator a, uint32_t len, const float *values)
{
  const vector out = new_vector(a, len);
  kernel_copy(out.data, values, len);
  return out;
}

OP vector
add_vv(allocator a, vector x, vector y)
{
  const vector out = new_vector(a, x.len);
  kernel_add(out.data, x.data, y.data, x.len);
  return out;
}

OP vector
sub_vv(allocator a, vector x, vector y)
{
  const vector out = new_vector(a, x.len);
  kernel_sub(out.data, x.data, y.data, x.len);
  return out;
}

OP vector
mul_vv(allocator a, vector x, vector y)
{
  const vector out = new_vector(a, x.len);
  kernel_mul(out.data, x.data, y.data, x.len);
  return out;
}

OP vector
mul_vs(allocator a, vector x, float factor)
{
  const vector out = new_vector(a, x.len);
  kernel_scale(out.data, x.data, factor, x.len);
  return out;
}

OP vector
oscillate(allocator a, vector y)
{
  const vector out = new_vector(a, y.len);
  kernel_oscillate(out.data, y.data, y.len);
  return out;
}

OP float
sum_v(vector x)
{
  return kernel_sum(x.data, x.len);
}

OP void
add_to(vector out, vector x)
{
  kernel_accumulate(out.data, x.data, x.len);
}

OP void
copy_to(vector out, vector x)
{
  kernel_copy(out.data, x.data, x.len);
}

static inline matrix
new_matrix(allocator a, uint32_t rows, uint32_t cols)
{
  return (matrix){PUSH(a, rows * cols * (uint32_t)sizeof(float)), rows, cols};
}

static inline vector
row(matrix m, uint32_t i)
{
  return (vector){m.data + (size_t)i * m.cols, m.cols};
}

static inline vector
view(float *data, uint32_t len)
{
  return (vector){data, len};
}

#endif
