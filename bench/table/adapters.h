/* adapters.h -- what the adapters of disciplines share
 */
#ifndef BENCH_TABLE_ADAPTERS_H
#define BENCH_TABLE_ADAPTERS_H

#include "table.h"

#include <stdlib.h>
#include <string.h>

static inline void *
same_address(uintptr_t token)
{
  void *p;
  memcpy(&p, &token, sizeof p);
  return p;
}

#define POINTER(token) same_address(token)
#define NEWEST(i)      (TABLE_BATCH - 1 - (i))
#define OLDEST(i)      (i)
#define RANDOM(i)      table_random_order[i]
#define ROUND(size)    (((size) + TN_ALIGN - 1) / TN_ALIGN * TN_ALIGN)
/* The compiler does not know what n is. */
#define HIDE(n)  __asm__ volatile("" : "+r"(n))
#define KEEP(p)  __extension__({ __asm__ volatile("" : : "r"(p) : "memory"); })
#define TOUCH(p) (*(volatile unsigned char *)(p) = 1)

/* Two blocks, freed wrongly: what every discipline with `free` can do. */
#define CRIMES(d, get, put, size)                                              \
  static void d##_twice(void)                                                  \
  {                                                                            \
    const uintptr_t a = get(size), b = get(size);                              \
    put(a, size);                                                              \
    put(a, size);                                                              \
    KEEP(b);                                                                   \
  }                                                                            \
  static void d##_foreign(void)                                                \
  {                                                                            \
    static _Alignas(64) unsigned char other[256];                              \
    const uintptr_t a = get(size);                                             \
    uintptr_t token = (uintptr_t)(other + 64);                                 \
    HIDE(token);                                                               \
    put(token, size);                                                          \
    KEEP(a);                                                                   \
  }                                                                            \
  static void d##_stale(void)                                                  \
  {                                                                            \
    uintptr_t a = get(size);                                                   \
    put(a, size);                                                              \
    HIDE(a);                                                                   \
    memset(POINTER(a), 0x5c, size);                                            \
    KEEP(get(size));                                                           \
    KEEP(get(size));                                                           \
  }

/* A write where an allocated block ends. */
#define AT_ITS_END(d, get, size)                                               \
  static void d##_beyond(void)                                                 \
  {                                                                            \
    uintptr_t token = get(size);                                               \
    HIDE(token);                                                               \
    TOUCH((unsigned char *)POINTER(token) + size);                             \
  }

/* The members that all have. */
#define ROW(d, o, at_fn)                                                       \
  .name = #d, .order = o, .begin = d##_begin, .alloc = d##_alloc, .at = at_fn, \
  .end = d##_end, .batches = d##_batches, .stale = d##_stale,                  \
  .beyond = d##_beyond

#endif
