/* own_signals.h -- no sanitizer handles this program's signals
 *
 * A sanitizer's handler would be the previous one of every case, and its
 * alternate stack the one that a thread has.
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_OS_OWN_SIGNALS_H
#define TEST_OS_OWN_SIGNALS_H

#define DEFAULT_VISIBLE __attribute__((visibility("default")))
// NOLINTBEGIN(readability-identifier-naming): their names
DEFAULT_VISIBLE const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
  return "handle_segv=0:handle_sigbus=0:use_sigaltstack=0";
}
DEFAULT_VISIBLE const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
  return "handle_segv=0:handle_sigbus=0:use_sigaltstack=0";
}
// NOLINTEND(readability-identifier-naming)

#endif
