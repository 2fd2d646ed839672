/* access.h -- loads and stores that say what they are
 *
 * A plain C access says neither which byte order it means, nor that the
 * address may be odd, nor that it must happen exactly once, nor that the cache
 * is not to be filled with it.  These do.  They are not atomic: for sharing
 * between threads use <stdatomic.h>.
 *
 *   tn_load_u16_le   tn_store_u16_le    little end first, any address
 *   tn_load_u16_be   tn_store_u16_be    big end first, any address
 *   tn_load_u16_ua   tn_store_u16_ua    this machine's order, any address
 *   tn_load_u16_volatile ...            aligned; done once, as written
 *   tn_store_u32_nt  tn_store_u64_nt    aligned; past the cache
 *
 * and the same for u32 and u64 (u8 too where volatile).
 *
 * Threads   any; the caller keeps threads apart.
 * Failure   none.
 * Cost      one load or store; a byte swap in the foreign order.
 * Design    doc/design/vm.md      Tests  test/vm/test_access.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_ACCESS_H
#define TENURE_ACCESS_H

#include <tenure/base.h>

#if !defined(__BYTE_ORDER__)
#error "access.h: the compiler does not say which byte order this machine has"
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TNI_LE(bits, v) (v)
#define TNI_BE(bits, v) ((uint##bits##_t)__builtin_bswap##bits(v))
#else
#define TNI_LE(bits, v) ((uint##bits##_t)__builtin_bswap##bits(v))
#define TNI_BE(bits, v) (v)
#endif

/* Unaligned, in each byte order. */
#define TNI_ACCESS_BYTES(bits)                                                 \
  TN_INLINE uint##bits##_t tn_load_u##bits##_ua(const void *p)                 \
  {                                                                            \
    uint##bits##_t v;                                                          \
    __builtin_memcpy(&v, p, sizeof v);                                         \
    return v;                                                                  \
  }                                                                            \
  TN_INLINE void tn_store_u##bits##_ua(void *p, uint##bits##_t v)              \
  {                                                                            \
    __builtin_memcpy(p, &v, sizeof v);                                         \
  }                                                                            \
  TN_INLINE uint##bits##_t tn_load_u##bits##_le(const void *p)                 \
  {                                                                            \
    return TNI_LE(bits, tn_load_u##bits##_ua(p));                              \
  }                                                                            \
  TN_INLINE void tn_store_u##bits##_le(void *p, uint##bits##_t v)              \
  {                                                                            \
    tn_store_u##bits##_ua(p, TNI_LE(bits, v));                                 \
  }                                                                            \
  TN_INLINE uint##bits##_t tn_load_u##bits##_be(const void *p)                 \
  {                                                                            \
    return TNI_BE(bits, tn_load_u##bits##_ua(p));                              \
  }                                                                            \
  TN_INLINE void tn_store_u##bits##_be(void *p, uint##bits##_t v)              \
  {                                                                            \
    tn_store_u##bits##_ua(p, TNI_BE(bits, v));                                 \
  }

TNI_ACCESS_BYTES(16)
TNI_ACCESS_BYTES(32)
TNI_ACCESS_BYTES(64)

/* Exactly once, neither merged, split nor left out: device registers, and
 * words that a signal handler or a debugger watches. */
#define TNI_ACCESS_VOLATILE(bits)                                              \
  TN_INLINE uint##bits##_t tn_load_u##bits##_volatile(                         \
      const volatile uint##bits##_t *p)                                        \
  {                                                                            \
    return *p;                                                                 \
  }                                                                            \
  TN_INLINE void tn_store_u##bits##_volatile(volatile uint##bits##_t *p,       \
                                             uint##bits##_t v)                 \
  {                                                                            \
    *p = v;                                                                    \
  }

TNI_ACCESS_VOLATILE(8)
TNI_ACCESS_VOLATILE(16)
TNI_ACCESS_VOLATILE(32)
TNI_ACCESS_VOLATILE(64)

/* Past the cache: for memory that is written once and not read soon.  Other
 * threads may see such stores late: call tn_fence_nt before telling them.
 * Where the machine or the compiler has none, a plain store. */
#if defined(__has_builtin) && defined(__clang__)
#if __has_builtin(__builtin_nontemporal_store)
#define TNI_NT_STORE(bits, p, v) __builtin_nontemporal_store(v, p)
#endif
#elif defined(__x86_64__)
/* The builtins are of signed types; the names hide that 64 is long long. */
#define TNI_NT_STORE_32(p, v) __builtin_ia32_movnti((int *)(p), (int)(v))
#define TNI_NT_STORE_64(p, v)                                                  \
  __builtin_ia32_movnti64((long long *)(p), (long long)(v))
#define TNI_NT_STORE(bits, p, v) TNI_NT_STORE_##bits(p, v)
#endif
#ifndef TNI_NT_STORE
#define TNI_NT_STORE(bits, p, v) (*(p) = (v))
#endif

/* Store v at p, which is aligned, past the cache. */
TN_INLINE void
tn_store_u32_nt(uint32_t *p, uint32_t v)
{
  TNI_NT_STORE(32, p, v);
}

/* Store v at p, which is aligned, past the cache. */
TN_INLINE void
tn_store_u64_nt(uint64_t *p, uint64_t v)
{
  TNI_NT_STORE(64, p, v);
}

/* Every store past the cache before this is seen before every store after. */
TN_INLINE void
tn_fence_nt(void)
{
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#else
  __atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

#endif
