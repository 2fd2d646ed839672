/* check.h -- checks of our own invariants, and how we stop
 *
 * TN_REQUIRE (in <tenure/base.h>) is for contracts of the caller.  These are
 * for ours: a failed one is a bug in Tenure, and we never continue.
 *
 *     TN_CHECK       cheap           from TN_DEBUG=2 or TN_HARDEN=2
 *     TN_CHECK_SLOW  walks things    from TN_DEBUG=3
 *
 * Switched off they still compile their condition.
 *
 * Stress builds turn a rare path into the usual one; each is 0 or 1:
 *
 *     TN_STRESS_TINY   memory becomes usable in the smallest steps there are
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_CHECK_H
#define TNI_CHECK_H

#include <tenure/base.h>

#ifndef TN_STRESS_TINY
#define TN_STRESS_TINY 0
#endif

/* Write text and a newline to standard error and abort.  Allocates nothing;
 * usable in a signal handler.  Defined by the os layer: base's only upward
 * link. */
TN_COLD TN_NORETURN void tni_fatal(const char *text);

/* Compose the line of a failed check and call tni_fatal. */
TN_COLD TN_NORETURN void tni_check_failed(const char *tag, const char *text,
                                          const char *file, int line);

#define TNI_CHECK_ON(cond, tag)                                                \
  (TN_LIKELY(cond) ? (void)0 : tni_check_failed(tag, #cond, __FILE__, __LINE__))
#define TNI_CHECK_OFF(cond, tag) ((void)(0 && (cond)))

#if TN_DEBUG >= 2 || TN_HARDEN >= 2
#define TN_CHECK(cond, tag) TNI_CHECK_ON(cond, tag)
#else
#define TN_CHECK(cond, tag) TNI_CHECK_OFF(cond, tag)
#endif

#if TN_DEBUG >= 3
#define TN_CHECK_SLOW(cond, tag) TNI_CHECK_ON(cond, tag)
#else
#define TN_CHECK_SLOW(cond, tag) TNI_CHECK_OFF(cond, tag)
#endif

#endif
