/* fault.h -- sharing SIGSEGV and SIGBUS with a program's own handlers
 *
 * Tenure installs one handler, when the first range needs it: memory that
 * grows by being touched, guards.  A handler that was there before it gets
 * every signal that is not Tenure's.  A program that installs its own handler
 * later offers each signal first:
 *
 *     static void on_signal(int signal, siginfo_t *info, void *context)
 *     {
 *       if (tn_fault_offer(signal, info, context))
 *         return;
 *       ...
 *     }
 *
 * Not a crash reporter: what is nobody's goes its usual way.
 * Design    doc/design/os.md, "Faults"      Tests  test/os/test_faults.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_FAULT_H
#define TENURE_FAULT_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* Offer a signal to Tenure from a handler that was installed with SA_SIGINFO.
 *
 *   signal  SIGSEGV or SIGBUS
 *   info    the handler's siginfo_t
 *   context the handler's third argument
 *   returns true: it was a touch of Tenure's memory and has been dealt with;
 *           return from the handler and the access is tried again.  false: it
 *           is not ours
 *   threads any; for use in a signal handler
 *   cost    a binary search among the ranges watched
 */
TN_API bool tn_fault_offer(int signal, void *info, void *context);

/* Report stack overflow of the calling thread in one line on standard error,
 * naming the function and the thread; the signal then goes its usual way.
 * Gives the thread an alternate stack, unless it has one, and installs the
 * handler.
 *
 *   returns TN_OK; TN_ENOMEM, TN_EAGAIN; TN_ENOTSUP where there are no signals
 *   threads each thread that wants it calls it; those that Tenure starts need
 *           not
 *   cost    some system calls; the alternate stack is freed with the thread
 */
TN_API tn_status tn_fault_watch_stack(void);

TN_END_DECLS
#endif
