/* annotate.h -- telling AddressSanitizer and valgrind what we know
 *
 * A discipline calls these where memory becomes usable (give) or stops being
 * so (take).  Under ASan they poison; under valgrind (headers found when
 * TN_DEBUG is on) they make client requests; otherwise they are nothing, and
 * the compiler sees nothing.
 *
 * Source  PostgreSQL's memory contexts annotate both tools in the same places.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_ANNOTATE_H
#define TNI_ANNOTATE_H

#include <tenure/base.h>

#if defined(__SANITIZE_ADDRESS__)
#define TNI_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TNI_HAS_ASAN 1
#endif
#endif
#ifndef TNI_HAS_ASAN
#define TNI_HAS_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define TNI_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TNI_HAS_TSAN 1
#endif
#endif
#ifndef TNI_HAS_TSAN
#define TNI_HAS_TSAN 0
#endif

#if TN_DEBUG >= 1 && defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#define TNI_HAS_VALGRIND 1
#endif
#endif
#ifndef TNI_HAS_VALGRIND
#define TNI_HAS_VALGRIND 0
#endif

#if TNI_HAS_ASAN
void __asan_poison_memory_region(void const volatile *p, size_t size);
void __asan_unpoison_memory_region(void const volatile *p, size_t size);
#define TNI_ASAN_POISON(p, n)   __asan_poison_memory_region(p, n)
#define TNI_ASAN_UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define TNI_ASAN_POISON(p, n)   ((void)(p), (void)(n))
#define TNI_ASAN_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#if TNI_HAS_VALGRIND
#include <valgrind/memcheck.h>
#define TNI_VALGRIND_NOACCESS(p, n)  ((void)VALGRIND_MAKE_MEM_NOACCESS(p, n))
#define TNI_VALGRIND_UNDEFINED(p, n) ((void)VALGRIND_MAKE_MEM_UNDEFINED(p, n))
#define TNI_VALGRIND_DEFINED(p, n)   ((void)VALGRIND_MAKE_MEM_DEFINED(p, n))
#else
#define TNI_VALGRIND_NOACCESS(p, n)  ((void)(p), (void)(n))
#define TNI_VALGRIND_UNDEFINED(p, n) ((void)(p), (void)(n))
#define TNI_VALGRIND_DEFINED(p, n)   ((void)(p), (void)(n))
#endif

/* [p, p + size) now belongs to the program, with unspecified contents. */
static inline void
tni_annotate_give(const void *p, size_t size)
{
  TNI_ASAN_UNPOISON(p, size);
  TNI_VALGRIND_UNDEFINED(p, size);
}

/* The same, with contents that may be read. */
static inline void
tni_annotate_give_defined(const void *p, size_t size)
{
  TNI_ASAN_UNPOISON(p, size);
  TNI_VALGRIND_DEFINED(p, size);
}

/* [p, p + size) is ours again: any access is a bug and is reported. */
static inline void
tni_annotate_take(const void *p, size_t size)
{
  TNI_ASAN_POISON(p, size);
  TNI_VALGRIND_NOACCESS(p, size);
}

#endif
