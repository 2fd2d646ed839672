/* base.h -- words that every public header uses
 *
 * Attributes, the status codes, checked arithmetic, and the two build facts
 * (TN_DEBUG, TN_HARDEN) that change what an inline function does.  It is not
 * an allocator and has no state.
 *
 * Threads   everything here is pure.
 * Design    doc/design/modes.md      Tests  test/base/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_BASE_H
#define TENURE_BASE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Build modes; doc/design/modes.md is the table.  A translation unit and the
 * library that it is linked with must agree on TN_DEBUG being 0 or not. */
#ifndef TN_DEBUG
#define TN_DEBUG 0
#endif
#ifndef TN_HARDEN
#define TN_HARDEN 0
#endif

#ifdef __cplusplus
#define TN_BEGIN_DECLS extern "C" {
#define TN_END_DECLS   }
#else
#define TN_BEGIN_DECLS
#define TN_END_DECLS
#endif

#define TN_API          __attribute__((visibility("default")))
#define TN_COLD         __attribute__((cold, noinline))
#define TN_HOT          __attribute__((hot))
#define TN_INLINE       static inline __attribute__((always_inline, unused))
#define TN_NODISCARD    __attribute__((warn_unused_result))
#define TN_NORETURN     __attribute__((noreturn))
#define TN_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* What a target without threads, or without return addresses, defines
 * otherwise (tools/web.mk). */
#ifndef TNI_THREAD_LOCAL
#define TNI_THREAD_LOCAL __thread
#endif
#ifndef TNI_RETURN_ADDRESS
#define TNI_RETURN_ADDRESS __builtin_return_address(0)
#endif
#define TN_LIKELY(x)   __builtin_expect(!!(x), 1)
#define TN_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The alignment that every block has unless a function says otherwise. */
#define TN_ALIGN 16u

/* One row a status: name, value, text.  Negative values are failures. */
#define TN_STATUS_TABLE(X)                                                     \
  X(TN_OK, 0, "success")                                                       \
  X(TN_ENOMEM, -1, "out of memory")                                            \
  X(TN_EINVAL, -2, "invalid argument")                                         \
  X(TN_ERANGE, -3, "size or address out of range")                             \
  X(TN_EBUSY, -4, "address range is in use")                                   \
  X(TN_ENOTSUP, -5, "not supported by this system")                            \
  X(TN_EACCES, -6, "permission denied")                                        \
  X(TN_ENOENT, -7, "no such file")                                             \
  X(TN_EIO, -8, "input or output failed")                                      \
  X(TN_EFAULT, -9, "memory is not there")                                      \
  X(TN_EAGAIN, -10, "a limit of the system is reached")

typedef enum tn_status {
#define TNI_STATUS_ENUM(name, value, text) name = (value),
  TN_STATUS_TABLE(TNI_STATUS_ENUM)
#undef TNI_STATUS_ENUM
} tn_status;

/* How the pages of reserved memory come. */
typedef enum tn_commit {
  TN_COMMIT_TOUCH,  // when touched; nobody is asked, and nobody can refuse
  TN_COMMIT_FAULT,  // when touched, in steps, through our fault handler
  TN_COMMIT_ASK,    // asked for beforehand: a refusal is a value
} tn_commit;

TN_BEGIN_DECLS

/* Defined only in the library of the same kind, and named by every header whose
 * inline functions differ in debug builds: a missing one in the linker's
 * message means that this object was compiled with another TN_DEBUG. */
#if TN_DEBUG >= 1
#define TNI_LIBRARY_KIND tni_link_with_libtenure_debug
#else
#define TNI_LIBRARY_KIND tni_link_with_libtenure_release
#endif
TN_API extern const char TNI_LIBRARY_KIND;

/* The name of a status as it is spelled in C, for messages.
 *
 *   returns "TN_ENOMEM" and so on; "TN_UNKNOWN" for a value not in the table
 *   threads any, also in a signal handler
 *   cost    O(number of codes)
 */
TN_API const char *tn_status_name(tn_status status);

/* What a status means, in a few words without a full stop.
 *
 *   returns static text; "unknown status" for a value not in the table
 *   threads any, also in a signal handler
 *   cost    O(number of codes)
 */
TN_API const char *tn_status_text(tn_status status);

/* Report a broken contract on standard error in one line and stop (SIGABRT).
 * Called by TN_REQUIRE only; allocates nothing.
 *
 *   tag     the name of the contract, as in "bump.frozen"
 *   text    what was done wrong and what to do instead
 *   file    where the check stands; the caller's line for inline functions
 */
TN_API TN_COLD TN_NORETURN void tn_contract_broken(const char *tag,
                                                   const char *text,
                                                   const char *file, int line);

/* How many TN_NOALLOC blocks (scope.h) this thread is in; and what is called
 * when something allocates in one.  caller is where, NULL: who calls this (it is
 * not TN_COLD: compilers move calls of those out of the function). */
TN_API extern TNI_THREAD_LOCAL unsigned tni_noalloc_depth;
TN_API TN_NORETURN void tni_noalloc_broken(const void *caller);

TN_END_DECLS

/* At the beginning of everything that allocates. */
#define TNI_ALLOCATES(caller)                                                  \
  (TN_DEBUG >= 1 && tni_noalloc_depth != 0 ? tni_noalloc_broken(caller)        \
                                           : (void)0)

/* A contract of the caller.  Checked with TN_DEBUG or TN_HARDEN from 1;
 * otherwise the condition is still compiled, and costs nothing. */
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
#define TN_REQUIRE(cond, tag, text)                                            \
  (TN_LIKELY(cond) ? (void)0                                                   \
                   : tn_contract_broken(tag, text, __FILE__, __LINE__))
#else
#define TN_REQUIRE(cond, tag, text) ((void)(0 && (cond)))
#endif

/* a + b into *sum; false, and *sum is unspecified, when it does not fit. */
TN_INLINE bool
tn_size_add(size_t a, size_t b, size_t *sum)
{
  return !__builtin_add_overflow(a, b, sum);
}

/* a * b into *product; false, and *product is unspecified, when it does not
 * fit. */
TN_INLINE bool
tn_size_mul(size_t a, size_t b, size_t *product)
{
  return !__builtin_mul_overflow(a, b, product);
}

/* True for 1, 2, 4, 8 ...; false for 0. */
TN_INLINE bool
tn_is_power_of_two(size_t n)
{
  return n != 0 && (n & (n - 1)) == 0;
}

#endif
