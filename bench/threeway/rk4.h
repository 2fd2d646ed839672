/* rk4.h -- the system that the Runge-Kutta programs integrate
 *
 * n/2 oscillators (kernel_oscillate).  Analytic: x(t) = x0 cos t + v0 sin t.
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_RK4_H
#define THREEWAY_RK4_H

#include "workload.h"

#define RK4_STEP 0.015625f  // seconds; a power of two, so t is exact
enum { RK4_MAX = 64 };

/* Return call, which takes the vector y by value.  In the arms with clones the
 * call is inlined once for each short length, which is then a constant in it. */
#ifdef THREEWAY_CLONES
#define RK4_CLONE static inline __attribute__((always_inline))
#define RK4_BY_LENGTH(y, call)                                                 \
  switch ((y).len) {                                                           \
  case 2: (y).len = 2; return call;                                            \
  case 4: (y).len = 4; return call;                                            \
  case 8: (y).len = 8; return call;                                            \
  default: return call;                                                        \
  }
#else
#define RK4_CLONE              static
#define RK4_BY_LENGTH(y, call) return call;
#endif

/* Where the oscillators begin: each with its own place and speed. */
static inline void
rk4_begin(float *y, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    y[i] = 1 - (float)i / 64;
}

#endif
