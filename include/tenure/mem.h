/* mem.h -- blocks of memory: swap, wipe, keep secret, access as they lie
 *
 * Operations on bytes that the caller has already: nothing here hands out
 * blocks, except tn_secret, whose pages are its own.  For copying use
 * <string.h>; what is here it does not have.
 *
 *     tn_mem_swap        exchange two blocks, no third one needed
 *     tn_mem_swap_pages  the same for whole pages, without copying them
 *     tn_mem_copy_nt     copy past the cache
 *     tn_mem_wipe        zero that no optimiser takes away
 *     tn_secret          pages that do not leave this process
 *     TN_LOAD_UA ...     any type at any address (access.h: in any order)
 *
 * Invariants
 *   [mem.overlap]  two blocks of one call are the same or do not overlap.
 *   [mem.page]     addresses and sizes of tn_mem_swap_pages are whole pages.
 *   [mem.secret]   what lies between a secret and its guard is as it was laid
 *                  out; found broken when the secret is destroyed.
 * Threads   any; the caller keeps threads away from blocks that change.
 * Failure   swap, wipe and copy cannot fail.
 * Design    doc/design/mem.md      Tests  test/mem/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_MEM_H
#define TENURE_MEM_H

#include <tenure/access.h>
#include <tenure/base.h>

TN_BEGIN_DECLS

/* ---- Two blocks ---------------------------------------------------------- */

/* Exchange the contents of two blocks.
 *
 *   a, b    blocks of any alignment; the same (then nothing happens), or apart
 *   size    bytes of each; 0 is allowed
 *   errors  blocks that overlap break [mem.overlap]; without checks they are
 *           left as they are
 *   threads any; not atomic to other threads
 *   cost    O(size), each byte read and written once; no memory beside the
 *           blocks
 */
TN_API void tn_mem_swap(void *a, void *b, size_t size);

/* Exchange the contents of two blocks of whole pages.  From 2 MiB on, private
 * memory of the system (reserved, or malloc's own large blocks) changes places
 * in the page tables; anything else is copied as by tn_mem_swap.
 *
 *   a, b    multiples of tn_vm_page_size, readable and writable; same or apart
 *   size    bytes, a multiple of it
 *   returns true when pages moved; false when they were copied.  Swapped
 *           either way
 *   errors  [mem.page], [mem.overlap]: without checks nothing happens
 *   threads any; meanwhile a touch by another thread may read zeroes
 *   cost    moved: a few system calls, less than 1/10 of a copy's time at 16
 *           MiB, least when a and b are as far from a multiple of 2 MiB.
 *           Each block becomes a mapping of its own
 */
TN_API bool tn_mem_swap_pages(void *a, void *b, size_t size);

/* Copy past the cache: for what will not be read soon, so that it does not
 * push out what will.
 *
 *   to      receives size bytes
 *   from    size bytes, apart from to
 *   errors  [mem.overlap]: without checks nothing is copied
 *   threads any; the copy is seen by others before whatever is stored later
 *   cost    O(size).  Slower than memcpy when the target is read at once or
 *           fits into the cache
 */
TN_API void tn_mem_copy_nt(void *to, const void *from, size_t size);

/* ---- Secrets ------------------------------------------------------------- */

/* Zero memory for good: the stores stay even when nothing reads them again,
 * at every level of optimisation, link-time included.  Copies that the
 * compiler made in registers or on the stack are beyond it.
 *
 *   p       size bytes; NULL only with size 0
 *   threads any
 *   cost    a memset
 */
TN_INLINE void
tn_mem_wipe(void *p, size_t size)
{
  if (size != 0)
    __builtin_memset(p, 0, size);
  /* The compiler must assume that this reads what p points to. */
  __asm__ volatile("" : : "r"(p) : "memory");
}

enum {
  TN_SECRET_LOCKED = 1 << 0,   // never written to swap
  TN_SECRET_NO_DUMP = 1 << 1,  // not in core dumps
  TN_SECRET_NO_FORK = 1 << 2,  // not there in a forked child
  TN_SECRET_HIDDEN = 1 << 3,   // also out of reach of the kernel's own reads
  TN_SECRET_GUARDED = 1 << 4,  // a touch of the pages around it faults
};

/* Bytes between two guard pages.
 *
 *     | guard | .. [mem.secret] .. | data ... | guard |
 */
typedef struct tn_secret {
  void *data;        // const: size bytes, zero at first, aligned to TN_ALIGN
  size_t size;       // const
  unsigned reached;  // const: TN_SECRET_* that hold
  void *base;        // private
  size_t reserved;   // private: bytes from base
} tn_secret;

/* Take pages for a secret.
 *
 *   out     the secret; out->reached says what the system granted, which may
 *           be less than everything (locked memory is limited: ulimit -l)
 *   size    bytes, at least 1
 *   needed  TN_SECRET_* without which it is no use; 0 to take what there is
 *   returns TN_OK; TN_ENOTSUP when not all of needed is reached; TN_ENOMEM;
 *           TN_ERANGE for a size beyond the address space; TN_EINVAL for 0
 *   threads any
 *   cost    a few system calls; the pages are resident at once
 */
TN_API tn_status tn_secret_create(tn_secret *out, size_t size, unsigned needed);

/* Wipe a secret and give its pages back.  Not in a forked child when
 * TN_SECRET_NO_FORK is reached: there it is gone already.
 *
 *   errors  [mem.secret]: something was written just below data
 *   threads any, once
 *   cost    a memset and a system call
 */
TN_API void tn_secret_destroy(tn_secret *secret);

TN_END_DECLS

/* ---- Typed access -------------------------------------------------------- */

/* Read or write a value of any type at any address, in memory of any type:
 *
 *   double d = TN_LOAD_UA(double, p);   TN_STORE_UA(double, p, d);
 *
 * One load, one store where the machine can.  C only. */
#define TNI_ANY_TYPE(type)                                                     \
  struct __attribute__((packed, may_alias)) {                                  \
    type tni_value;                                                            \
  }
/* The value of a type that begins at p, any address. */
#define TN_LOAD_UA(type, p)                                                    \
  (((const TNI_ANY_TYPE(type) *)(const void *)(p))->tni_value)
/* Store a value of a type at p, any address. */
#define TN_STORE_UA(type, p, value)                                            \
  ((void)(((TNI_ANY_TYPE(type) *)(void *)(p))->tni_value = (value)))

#endif
