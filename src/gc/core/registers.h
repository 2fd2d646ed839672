/* registers.h -- the registers that a caller may keep references in
 *
 * What a call preserves may hold the only reference to an object; saved here
 * they are words to scan.  On other processors stacks are not scanned.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_REGISTERS_H
#define TNI_GC_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define TNI_HAS_REGISTERS 1
#else
#define TNI_HAS_REGISTERS 0
#endif

#define TNI_FRAME_WORDS 64u

typedef struct tni_registers {
  uintptr_t word[12];
  /* What the functions that were on the stack then had pushed: they return
   * before the stack is scanned. */
  uintptr_t frame[TNI_FRAME_WORDS];
  size_t frame_count;
} tni_registers;

static inline __attribute__((always_inline)) void
tni_registers_save(tni_registers *r)
{
#if defined(__x86_64__)
  __asm__ volatile("movq %%rbx, 0(%0)\n\tmovq %%rbp, 8(%0)\n\t"
                   "movq %%r12, 16(%0)\n\tmovq %%r13, 24(%0)\n\t"
                   "movq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"
                   :
                   : "r"(r->word)
                   : "memory");
#elif defined(__aarch64__)
  __asm__ volatile("stp x19, x20, [%0]\n\tstp x21, x22, [%0, #16]\n\t"
                   "stp x23, x24, [%0, #32]\n\tstp x25, x26, [%0, #48]\n\t"
                   "stp x27, x28, [%0, #64]\n\tstr x29, [%0, #80]"
                   :
                   : "r"(r->word)
                   : "memory");
#else
  (void)r;
#endif
}

#endif
