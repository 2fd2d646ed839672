/* os_linux_cpu.h -- what a signal's context says, by processor
 *
 * Where a processor is not known the answers are 0 and "it was a write": they
 * cost a report its function's name, never correctness.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_OS_LINUX_CPU_H
#define TNI_OS_LINUX_CPU_H

#include <ucontext.h>

#include "base/base.h"

/* The instruction that was interrupted. */
static inline uintptr_t
os_context_code(const void *context)
{
#if defined(__x86_64__)
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return ((const ucontext_t *)context)->uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

/* Its stack pointer. */
static inline uintptr_t
os_context_stack(const void *context)
{
#if defined(__x86_64__)
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  return ((const ucontext_t *)context)->uc_mcontext.sp;
#else
  (void)context;
  return 0;
#endif
}

/* Whether the access that faulted was a store. */
static inline bool
os_context_is_write(const void *context)
{
#if defined(__x86_64__)
  /* Bit 1 of the page fault's error code. */
  return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] >> 1 & 1;
#else
  (void)context;
  return true;
#endif
}

#endif
