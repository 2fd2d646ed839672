/* bits.h -- powers of two and rounding
 *
 * Rounding up is checked where the argument comes from a caller
 * (tni_round_up_checked) and plain where it cannot overflow.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_BITS_H
#define TNI_BITS_H

#include <tenure/base.h>

#define TNI_KIB(n) ((size_t)(n) << 10)
#define TNI_MIB(n) ((size_t)(n) << 20)
#if SIZE_MAX > 0xffffffffu
#define TNI_GIB(n) ((size_t)(n) << 30)
#endif

/* n rounded down to a multiple of the power of two align. */
static inline size_t
tni_round_down(size_t n, size_t align)
{
  return n & ~(align - 1);
}

/* n rounded up to a multiple of the power of two align; n + align must fit. */
static inline size_t
tni_round_up(size_t n, size_t align)
{
  return (n + align - 1) & ~(align - 1);
}

/* The same into *rounded; false when it does not fit. */
static inline bool
tni_round_up_checked(size_t n, size_t align, size_t *rounded)
{
  if (!tn_size_add(n, align - 1, rounded))
    return false;
  *rounded &= ~(align - 1);
  return true;
}

static inline bool
tni_is_aligned(size_t n, size_t align)
{
  return (n & (align - 1)) == 0;
}

static inline size_t
tni_min(size_t a, size_t b)
{
  return a < b ? a : b;
}

static inline size_t
tni_max(size_t a, size_t b)
{
  return a > b ? a : b;
}

/* The address of p as a number: for tables and comparisons, never to be made
 * a pointer again outside base and vm. */
static inline uintptr_t
tni_address(const void *p)
{
  return (uintptr_t)p;
}

/* The pointer that tni_address gave, or that the system will map: for base and
 * vm only, which own addresses. */
static inline void *
tni_pointer(uintptr_t address)
{
  // NOLINTNEXTLINE(performance-no-int-to-ptr): compilers lose nothing by it
  return (void *)address;
}

/* Index of the highest bit set; n must not be 0. */
static inline unsigned
tni_log2_floor(size_t n)
{
  return (unsigned)(sizeof(size_t) * CHAR_BIT - 1) -
         (unsigned)__builtin_clzl(n);
}

#endif
