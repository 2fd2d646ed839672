/* swap.S -- two blocks exchanged through a third, in assembly; see swap.c
 *
 *   void swap_through(void *a, void *b, void *placeholder, size_t size)
 *                     rdi      rsi      rdx                rcx
 *
 * a to the placeholder, b to a, the placeholder to b: each byte is read and
 * written three times, and a third block is needed.  tn_mem_swap does neither.
 * x86-64, System V calling convention.
 */
        .text
        .globl  swap_through
        .type   swap_through, @function
swap_through:
        mov     %rdi, %r8               # a
        mov     %rsi, %r9               # b
        mov     %rcx, %r10              # size

        mov     %rdx, %rdi              # a -> placeholder
        mov     %r8, %rsi
        rep movsb

        mov     %r8, %rdi               # b -> a
        mov     %r9, %rsi
        mov     %r10, %rcx
        rep movsb

        mov     %r9, %rdi               # placeholder -> b
        mov     %rdx, %rsi
        mov     %r10, %rcx
        rep movsb
        ret
        .size   swap_through, .-swap_through
        .section .note.GNU-stack, "", @progbits
