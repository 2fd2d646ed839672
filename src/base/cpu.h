/* cpu.h -- what this processor has beyond what we are compiled for
 *
 * Asked once and kept: libgcc's __builtin_cpu_supports would bring a
 * constructor into the library.
 *
 * Source  Intel's and AMD's manuals, CPUID leaves 1 and 7, XGETBV.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_CPU_H
#define TNI_CPU_H

#include <tenure/base.h>

#include "base/atomic.h"

/* Where the function that says this was called from; NULL where a machine does
 * not let one see. */
#if defined(__x86_64__) || defined(__aarch64__)
#define TNI_CALLED_FROM() __builtin_return_address(0)
#else
#define TNI_CALLED_FROM() NULL
#endif

/* The compiler no longer knows what a local variable holds: for one, a copy of
 * so many bytes becomes a call of memcpy, not a slow string instruction. */
#define TNI_OPAQUE(n) __asm__("" : "+r"(n))

enum {
  TNI_CPU_ASKED = 1 << 0,
  TNI_CPU_AVX2 = 1 << 1,
  TNI_CPU_AVX512 = 1 << 2,  // F and BW
};

#if defined(__x86_64__)
static inline unsigned
tni_cpu_ask(void)
{
  uint32_t a = 1, b, c = 0, d, state, high;
  unsigned has = TNI_CPU_ASKED;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((c >> 27 & 1) == 0)  // the system does not save wide registers
    return has;
  __asm__ volatile("xgetbv" : "=a"(state), "=d"(high) : "c"(0));
  a = 0, c = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if (a < 7)
    return has;
  a = 7, c = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((state & 6) == 6 && (b >> 5 & 1))
    has |= TNI_CPU_AVX2;
  if ((state & 0xe6) == 0xe6 && (b >> 16 & 1) && (b >> 30 & 1))
    has |= TNI_CPU_AVX512;
  return has;
}
#else
static inline unsigned
tni_cpu_ask(void)
{
  return TNI_CPU_ASKED;
}
#endif

/* TNI_CPU_* bits, from *kept (0 at first) when they are there already. */
static inline unsigned
tni_cpu_get(_Atomic unsigned *kept)
{
  unsigned has = tni_load_relaxed(kept);
  if (TN_UNLIKELY(has == 0)) {
    has = tni_cpu_ask();
    tni_store_relaxed(kept, has);
  }
  return has;
}

#endif
