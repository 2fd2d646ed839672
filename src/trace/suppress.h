/* suppress.h -- leaks that nobody wants to hear of
 *
 * A file of patterns, one a line; empty lines and those that begin with # are
 * comments.  A pattern is a glob (* ? [a-z]) that fits a function, a module or
 * a source file, with its folders or without, of any frame of the stack that
 * allocated.  What is left at exit by such a stack is summed, and named no more.
 *
 * Threads   one.
 * Cost      each frame of a trace is compared once with each pattern.
 * Design    doc/design/trace.md      Tests  test/trace/test_suppress.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_SUPPRESS_H
#define TNI_TRACE_SUPPRESS_H

#include <stddef.h>

#include "base/base.h"
#include "trace/names.h"

typedef struct tni_suppress tni_suppress;

/* Read a file of patterns.
 *
 *   out      to be given to tni_suppress_close
 *   problem  "FILE: reason" or "FILE:LINE: reason" when it is not good
 *   errors   TN_EINVAL  a line is no pattern
 *            TN_ENOENT, TN_EACCES, TN_EIO  it cannot be read */
tn_status tni_suppress_open(tni_suppress **out, const char *path, char *problem,
                            size_t size);
void tni_suppress_close(tni_suppress *s);

/* Does a pattern fit a place: its functions, its files, its module? */
bool tni_suppress_fits(const tni_suppress *s, const tni_place *place,
                       const char *module);

#endif
