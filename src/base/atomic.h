/* atomic.h -- C11 atomics under names that carry their order
 *
 * Every use of an atomic names its order, and the comment at the use says what
 * it pairs with.  Nothing here is sequentially consistent by default.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_ATOMIC_H
#define TNI_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define tni_load_relaxed(p) atomic_load_explicit(p, memory_order_relaxed)
#define tni_load_acquire(p) atomic_load_explicit(p, memory_order_acquire)
#define tni_store_relaxed(p, v)                                                \
  atomic_store_explicit(p, v, memory_order_relaxed)
#define tni_store_release(p, v)                                                \
  atomic_store_explicit(p, v, memory_order_release)
#define tni_add_relaxed(p, v)                                                  \
  atomic_fetch_add_explicit(p, v, memory_order_relaxed)
#define tni_sub_relaxed(p, v)                                                  \
  atomic_fetch_sub_explicit(p, v, memory_order_relaxed)
#define tni_add_acq_rel(p, v)                                                  \
  atomic_fetch_add_explicit(p, v, memory_order_acq_rel)
#define tni_sub_acq_rel(p, v)                                                  \
  atomic_fetch_sub_explicit(p, v, memory_order_acq_rel)
#define tni_swap_acq_rel(p, v)                                                 \
  atomic_exchange_explicit(p, v, memory_order_acq_rel)
/* Compare and exchange: acquire-release when it succeeds, acquire when not. */
#define tni_cas_acq_rel(p, expected, desired)                                  \
  atomic_compare_exchange_strong_explicit(                                     \
      p, expected, desired, memory_order_acq_rel, memory_order_acquire)

/* Set or clear a bit of a bitmap of 64-bit words, in one step; whether it was
 * set.  Bits of one word may be changed by several threads at once.  On x86 the
 * instruction finds the word by itself, which saves four others. */
static inline bool
tni_atomic_bit_set(_Atomic uint64_t *words, size_t bit)
{
#if defined(__x86_64__)
  bool was;
  __asm__ volatile("lock btsq %1, (%2)"
                   : "=@ccc"(was)
                   : "r"(bit), "r"(words)
                   : "memory");
  return was;
#else
  const uint64_t mask = (uint64_t)1 << bit % 64;
  return (atomic_fetch_or_explicit(&words[bit / 64], mask,
                                   memory_order_relaxed) &
          mask) != 0;
#endif
}

static inline bool
tni_atomic_bit_clear(_Atomic uint64_t *words, size_t bit)
{
#if defined(__x86_64__)
  bool was;
  __asm__ volatile("lock btrq %1, (%2)"
                   : "=@ccc"(was)
                   : "r"(bit), "r"(words)
                   : "memory");
  return was;
#else
  const uint64_t mask = (uint64_t)1 << bit % 64;
  return (atomic_fetch_and_explicit(&words[bit / 64], ~mask,
                                    memory_order_relaxed) &
          mask) != 0;
#endif
}

#endif
