/* ops_malloc.h -- vectors that are allocated with malloc and freed one by one
 *
 * The vocabulary of the manual and the RAII arm.  Running out is not handled,
 * as in the seed: that favours malloc.
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_OPS_MALLOC_H
#define THREEWAY_OPS_MALLOC_H

#include "kernel.h"
#include "workload.h"

#if __STDC_HOSTED__
#include <stdlib.h>
#else
#include <stddef.h>
void *malloc(size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
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
new_vector(uint32_t len)
{
  return (vector){malloc(len * sizeof(float)), len};
}

KERNEL void
free_vector(vector v)
{
  free(v.data);
}

/* Cleanup: frees what the variable holds when its block is left. */
static inline void
drop_vector(vector *v)
{
  free_vector(*v);
}
#define OWNED __attribute__((cleanup(drop_vector)))

OP vector
vec(uint32_t len, const float *values)
{
  const vector out = new_vector(len);
  kernel_copy(out.data, values, len);
  return out;
}

OP vector
add_vv(vector a, vector b)
{
  const vector out = new_vector(a.len);
  kernel_add(out.data, a.data, b.data, a.len);
  return out;
}

OP vector
sub_vv(vector a, vector b)
{
  const vector out = new_vector(a.len);
  kernel_sub(out.data, a.data, b.data, a.len);
  return out;
}

OP vector
mul_vv(vector a, vector b)
{
  const vector out = new_vector(a.len);
  kernel_mul(out.data, a.data, b.data, a.len);
  return out;
}

OP vector
mul_vs(vector a, float factor)
{
  const vector out = new_vector(a.len);
  kernel_scale(out.data, a.data, factor, a.len);
  return out;
}

OP vector
oscillate(vector y)
{
  const vector out = new_vector(y.len);
  kernel_oscillate(out.data, y.data, y.len);
  return out;
}

OP float
sum_v(vector a)
{
  return kernel_sum(a.data, a.len);
}

OP void
add_to(vector out, vector a)
{
  kernel_accumulate(out.data, a.data, a.len);
}

OP void
copy_to(vector out, vector a)
{
  kernel_copy(out.data, a.data, a.len);
}

static inline matrix
new_matrix(uint32_t rows, uint32_t cols)
{
  return (matrix){malloc((size_t)rows * cols * sizeof(float)), rows, cols};
}

static inline void
drop_matrix(matrix *m)
{
  free(m->data);
}
#define OWNED_MATRIX __attribute__((cleanup(drop_matrix)))

/* A row as a vector that nobody frees. */
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
