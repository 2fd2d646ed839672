/* isolate.h -- run a function that cannot write to its caller's memory
 *
 * For a call into code that one does not trust with one's data: a parser, a
 * plug-in.  While it runs, the stack above it and the ranges that the caller
 * names are read-only; a store there stops the program with a line that says
 * what was hit, where, and by whom.  Not a sandbox: the function shares address
 * space, descriptors and system calls with its caller, and may write to
 * everything that was not named.
 *
 *     low addresses                  | page             stack's base |
 *     ... callee | result slot ----->| caller, its callers, ...      |
 *         writable                   | read-only                     |
 *
 * The callee runs on the same stack, its frame moved down to where a page
 * begins.  So all of the caller's frame is out of reach, a store that runs
 * upward from the callee's frame or beyond the result slot meets a read-only
 * page, and what lies between (the callee's own frame and one of ours) is not
 * seen.  The variables that a thread has at its stack's base stay writable, with
 * frames that lie in their pages or within 2 KiB below.
 *
 * Active in debug and hardened builds of the library, elsewhere when asked
 * (is_always).  Inactive it is a plain call with the same result slot.
 *
 * Contracts
 *   [isolate.write]   the function writes neither to the stack of its callers
 *                     nor to a named range (seen while active, in all builds).
 *   [isolate.range]   a named range is of whole pages, at least one, readable
 *                     and writable; within a call it is all in a range of the
 *                     call around, or all outside of them.
 *   [isolate.result]  a result is at most TN_ISOLATE_RESULT bytes.
 * Threads   any; the read-only pages are so for all threads, and another
 *           thread's store there is a plain SIGSEGV.  Two threads do not name
 *           the same pages at once.
 * Failure   a negative status; the function was not called.
 * Cost      two mprotect for the stack and two a range; inactive, a plain call.
 * Design    doc/design/isolate.md      Tests  test/isolate/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_ISOLATE_H
#define TENURE_ISOLATE_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* Bytes of a result at most. */
#define TN_ISOLATE_RESULT ((size_t)4096)

/* What is called.
 *
 *   argument as given to tn_isolate_call; what it points to on the caller's
 *            stack can be read, not written
 *   result   zeroed bytes, aligned to 16, for what the function has to say
 */
typedef void tn_isolate_fn(void *argument, void *result);

/* Memory that the function must not write to. */
typedef struct tn_isolate_range {
  void *base;        // of whole pages, readable and writable
  size_t size;       // bytes, a multiple of the page size
  const char *name;  // for the message; NULL for none
} tn_isolate_range;

typedef struct tn_isolate_options {
  const tn_isolate_range *ranges;  // not changed during the call
  size_t count;                    // of ranges
  const char *name;                // of the function in the message; NULL: what
                                   // the symbols say
  bool is_always;                  // also in release builds
} tn_isolate_options;

/* Call fn(argument, slot) with the caller's stack and the named ranges
 * read-only, then copy the slot to result.  Calls nest.
 *
 *   argument    handed through
 *   result      receives result_size bytes when the function returned; NULL
 *               when result_size is 0
 *   result_size bytes, at most TN_ISOLATE_RESULT
 *   options     NULL for the stack alone
 *   returns     TN_OK; TN_ENOMEM or TN_EAGAIN when the system has no room to
 *               split a mapping or for an alternate stack; TN_EACCES when it
 *               forbids to protect; TN_EINVAL for a broken [isolate.range] or
 *               [isolate.result] without checks.  Then fn was not called and
 *               result is as it was.  Where the system has no faults or the
 *               stack is not known (a coroutine on memory that is not of a
 *               tn_stack_pool): TN_ENOTSUP with is_always, else a plain call
 *   errors      [isolate.write], [isolate.range], [isolate.result].  The
 *               function may leave by longjmp or tn_scope_unwind: the first
 *               store to the stack afterwards restores all, result is as it
 *               was.  Until then no signal handler may run on that stack, and
 *               a frame in the pages at its base that stay writable is no
 *               place to jump to
 *   threads     any
 *   cost        two system calls, and two a range; a thread's first call also
 *               finds its stack and gives it an alternate one
 */
TN_API tn_status tn_isolate_call(tn_isolate_fn *fn, void *argument,
                                 void *result, size_t result_size,
                                 const tn_isolate_options *options);

/* Whether calls are active: what the library was built for, and can do.
 *
 *   is_always  as in the options
 *   returns    false when such calls are plain ones
 *   threads    any
 *   cost       O(1)
 */
TN_API bool tn_isolate_is_active(bool is_always);

TN_END_DECLS
#endif
