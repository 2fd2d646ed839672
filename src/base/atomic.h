/* atomic.h -- C11 atomics under names that carry their order
 *
 * Every use of an atomic names its order, and the comment at the use says what
 * it pairs with.  Nothing here is sequentially consistent by default.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_ATOMIC_H
#define TNI_ATOMIC_H

#include <stdatomic.h>

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

#endif
