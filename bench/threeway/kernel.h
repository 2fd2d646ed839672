/* kernel.h -- the loops under the vector operations, the same in every arm
 *
 * Where results live is the arm's affair; this is only arithmetic.  `out` never
 * overlaps an input: it is always fresh memory, or another row.
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_KERNEL_H
#define THREEWAY_KERNEL_H

#include <stdint.h>

#define KERNEL static inline __attribute__((always_inline, unused))

/* statement for every i below n.  The lengths 2, 4 and 8 have a loop of their
 * own, which is unrolled: short vectors would otherwise pay more for counting
 * than for arithmetic. */
#define KERNEL_EACH(i, n, statement)                                           \
  do {                                                                         \
    if ((n) == 2)                                                              \
      KERNEL_LOOP(i, 2, statement)                                             \
    else if ((n) == 4)                                                         \
      KERNEL_LOOP(i, 4, statement)                                             \
    else if ((n) == 8)                                                         \
      KERNEL_LOOP(i, 8, statement)                                             \
    else                                                                       \
      KERNEL_LOOP(i, n, statement)                                             \
  } while (0)
#define KERNEL_LOOP(i, n, statement)                                           \
  for (uint32_t i = 0; i < (n); i++)                                           \
    statement;

/* NOLINTBEGIN(clang-analyzer-core*): it gives up on loops after four turns and
 * takes what the others write for uninitialised. */
KERNEL void
kernel_copy(float *__restrict out, const float *__restrict a, uint32_t n)
{
  KERNEL_EACH(i, n, out[i] = a[i]);
}

KERNEL void
kernel_add(float *__restrict out, const float *__restrict a,
           const float *__restrict b, uint32_t n)
{
  KERNEL_EACH(i, n, out[i] = a[i] + b[i]);
}

KERNEL void
kernel_sub(float *__restrict out, const float *__restrict a,
           const float *__restrict b, uint32_t n)
{
  KERNEL_EACH(i, n, out[i] = a[i] - b[i]);
}

KERNEL void
kernel_mul(float *__restrict out, const float *__restrict a,
           const float *__restrict b, uint32_t n)
{
  KERNEL_EACH(i, n, out[i] = a[i] * b[i]);
}

KERNEL void
kernel_scale(float *__restrict out, const float *__restrict a, float factor,
             uint32_t n)
{
  KERNEL_EACH(i, n, out[i] = a[i] * factor);
}

KERNEL void
kernel_accumulate(float *__restrict out, const float *__restrict a, uint32_t n)
{
  KERNEL_EACH(i, n, out[i] += a[i]);
}

KERNEL float
kernel_sum(const float *a, uint32_t n)
{
  float sum = 0;
  KERNEL_EACH(i, n, sum += a[i]);
  return sum;
}

/* n/2 undamped oscillators: the first half of y are places x, the second half
 * speeds; x' = v, v' = -x. */
KERNEL void
kernel_oscillate(float *__restrict out, const float *__restrict y, uint32_t n)
{
  const uint32_t half = n / 2;
  KERNEL_EACH(i, half, out[i] = y[half + i]);
  KERNEL_EACH(i, half, out[half + i] = -y[i]);
}

// NOLINTEND(clang-analyzer-core*)

#endif
