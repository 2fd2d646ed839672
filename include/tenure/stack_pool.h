/* stack_pool.h -- the stacks that code runs on, for coroutines and threads
 *
 * Equal stacks in one reservation, a guard below each.  Pages come when they
 * are touched (or all at once) and go back when a stack is parked.  Which code
 * runs on them is the caller's: pass them to makecontext, to
 * pthread_attr_setstack or to a switch of your own.
 *
 *     | table | guard | stack 0 | guard | stack 1 | guard | stack 2 | ...
 *
 * Where the kernel has guards without mappings (Linux 6.13), all of it is one
 * mapping and 100,000 stacks need no more than one; before, each stack takes
 * two of the 65,530 that a process has by default, and tn_stack_pool_take
 * says TN_EAGAIN when they are used up.
 *
 * Invariants
 *   [stack.overflow]  a touch of a guard stops the program with a line that
 *                     names the pool, the stack and the function.
 *   [stack.foreign]   a stack is given back, or parked, to its own pool, while
 *                     it is taken.
 * Threads   one owner a pool; the stacks may run anywhere.  A thread that runs
 *           on them calls tn_fault_watch_stack once: an overflow can only be
 *           reported on an alternate stack.
 * Failure   a negative status, and the pool is as it was.
 * Cost      take and give O(1), at most four system calls.
 * Design    doc/design/stack.md      Tests  test/stack/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_STACK_POOL_H
#define TENURE_STACK_POOL_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

typedef struct tn_stack_pool tn_stack_pool;

typedef struct tn_stack_pool_options {
  size_t count;      // stacks at most, from 1 to 2^31
  size_t size;       // bytes of each that code may use; rounded up to pages
  size_t guard;      // bytes below each; 0 for 64 KiB; rounded up to pages
  bool is_eager;     // every page resident before a stack is taken
  const char *name;  // for messages, kept by reference; NULL for none
} tn_stack_pool_options;

/* One stack of a pool. */
typedef struct tn_stack_room {
  void *low;    // const: the first byte; code starts at low + size
  size_t size;  // const: bytes
} tn_stack_room;

/* Reserve a pool.
 *
 *   returns TN_OK; TN_EINVAL for a count or a size of 0; TN_ERANGE when it is
 *           beyond the address space; TN_ENOMEM
 *   threads the calling thread becomes the owner
 *   cost    some system calls; no memory but the table's
 */
TN_API tn_status tn_stack_pool_create(tn_stack_pool **out,
                                      const tn_stack_pool_options *options);

/* Give all stacks back, also those that are taken: nothing may run on them.
 *
 *   threads the owner
 *   cost    some system calls
 */
TN_API void tn_stack_pool_destroy(tn_stack_pool *pool);

/* Take a stack, the one given back last first.
 *
 *   out     the stack; its contents are unspecified
 *   returns TN_OK; TN_ERANGE when all are taken; TN_EAGAIN at the system's
 *           limit on mappings; TN_ENOMEM
 *   threads the owner
 *   cost    nothing when one was given back; else up to three system calls
 */
TN_API tn_status tn_stack_pool_take(tn_stack_pool *pool, tn_stack_room *out);

/* Give a stack back, on which nothing runs.  Its pages but the uppermost go
 * back to the system at once (none of an eager pool's do).
 *
 *   low     where the stack begins
 *   errors  [stack.foreign]; without checks nothing happens
 *   threads the owner
 *   cost    one system call
 */
TN_API void tn_stack_pool_give(tn_stack_pool *pool, void *low);

/* Give back the memory of a parked stack: of the pages below what it uses.
 *
 *   low     where the stack begins
 *   pointer the stack pointer of what is parked on it, or anything below all
 *           that it needs; what lies more than 256 bytes below is lost
 *   errors  [stack.foreign], also for a pointer that is not on the stack, and
 *           when the caller itself runs on it (the system call and what leads
 *           there need more of it than one can know); without checks nothing
 *           happens
 *   threads the owner
 *   cost    one system call
 */
TN_API void tn_stack_pool_park(tn_stack_pool *pool, void *low,
                               const void *pointer);

/* How many stacks are taken.
 *
 *   threads the owner
 */
TN_API size_t tn_stack_pool_get_taken(const tn_stack_pool *pool);

/* A pool of stacks as a provider: a block is a whole stack, guard below, for
 * whoever takes its stacks from any allocator.  Blocks of at most the pool's
 * size, aligned to a page at most. */
typedef struct tn_stack_pool_provider {
  tn_provider provider;  // const
  tn_stack_pool *pool;   // const
} tn_stack_pool_provider;

/* Offer the pool as a provider.
 *
 *   returns a provider for as long as the pool lives
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_stack_pool_provider tn_stack_pool_provide(tn_stack_pool *pool);

TN_END_DECLS
#endif
