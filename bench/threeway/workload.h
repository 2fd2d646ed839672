/* workload.h -- one program in one arm, as main.c and the page see it
 *
 * A program (vector, rk4, physics) exists once an arm: bump, manual, raii (C
 * and C++), stack.  The arms differ in how memory is got and given back and in
 * nothing else: the loops are kernel.h, the scenes rk4.h and physics.h.
 *
 * Invariants
 *   [threeway.same]  every arm computes the same bits, in every setting and
 *                    with every compiler: floats are computed element by
 *                    element in one order, without contraction.
 * Threads   one.
 * Design    doc/threeway.md      Tests  test/bench/test_threeway.py
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_WORKLOAD_H
#define THREEWAY_WORKLOAD_H

#include <stdint.h>

/* The two settings.  Visible: the optimiser sees through every vector
 * operation.  Opaque: each is a call about which it knows nothing, as if it
 * stood in another file (weak, so that neither compiler looks inside). */
#ifdef THREEWAY_OPAQUE
#define OP __attribute__((noinline, weak))
#else
#define OP static inline __attribute__((always_inline, unused))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Get ready for vectors of n elements (physics: always 2, n is ignored). */
void workload_open(uint32_t n);

/* Run the program from its beginning for some steps.
 *
 *   steps   at least 1
 *   returns a hash of the result's bits [threeway.same]
 */
uint64_t workload_run(uint32_t steps);

#ifdef __cplusplus
}
#endif

/* FNV-1a over the bits of count floats, continuing from hash. */
static inline uint64_t
workload_hash(uint64_t hash, const float *values, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    uint32_t bits;
    __builtin_memcpy(&bits, &values[i], sizeof bits);
    hash = (hash ^ bits) * UINT64_C(1099511628211);
  }
  return hash;
}

#define WORKLOAD_HASH_START UINT64_C(14695981039346656037)

#endif
