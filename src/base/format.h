/* format.h -- text into a fixed buffer without libc
 *
 * Enough of printf for messages written in a signal handler, out of memory, or
 * on a system without libc: %s %c %d %u %zu %x %zx %p %% and nothing else (no
 * width, no precision).  Sizes in messages for people: %zu bytes.
 *
 * Threads   any, also in a signal handler; it touches only the buffer.
 * Failure   text that does not fit is cut; the buffer always ends in a NUL.
 * Tests     test/base/test_format.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_FORMAT_H
#define TNI_FORMAT_H

#include <stdarg.h>

#include <tenure/base.h>

/* Write at most size bytes (the NUL included) to buffer.
 *
 *   returns the length of what was written, without the NUL; size must not
 *           be 0
 */
size_t tni_format(char *buffer, size_t size, const char *format, ...)
    TN_PRINTF(3, 4);

/* The same with the arguments in a va_list. */
size_t tni_vformat(char *buffer, size_t size, const char *format, va_list args)
    TN_PRINTF(3, 0);

#endif
