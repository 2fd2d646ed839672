/* scratch.h -- each thread's arenas for temporaries
 *
 * A function that needs memory until it returns borrows one of its thread's
 * scratch arenas; what it allocates there goes when it ends.  When the function
 * also allocates its result, in an arena that it was given, that arena may be
 * a scratch arena of the caller's: it names it as a conflict, and borrows
 * another one.  There are as many as conflicts ask for.
 *
 *     char *join(tn_arena *out, ...) {
 *       TN_SCRATCH(s, out);             // not out itself
 *       ... tn_arena_push(s, n) ...     // gone when the function returns
 *       return tn_arena_text(out, ...); // the caller's
 *     }
 *
 * An arena of one's own, for a longer phase: arena.h.
 *
 * Invariants
 *   [scratch.other]      what is borrowed is none of the conflicts.
 *   [scratch.same]       without conflicts, the arena and the address are the
 *                        same each time: a loop's scratch stays in the cache.
 * Contracts
 *   [scratch.conflicts]  at most TN_SCRATCH_MOST arenas are in use by a thread.
 *   [scratch.order]      what was borrowed last of an arena ends first.
 * Threads   each has its own, created when first wanted, destroyed with it.
 * Failure   NULL when there is no memory for an arena.
 * Cost      some 20 instructions to borrow and to give back.
 * Design    doc/design/arena.md      Tests  test/arena/test_scratch.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_SCRATCH_H
#define TENURE_SCRATCH_H

#include <tenure/arena.h>

TN_BEGIN_DECLS

/* The most scratch arenas of one thread. */
#define TN_SCRATCH_MOST 64

typedef struct tn_scratch {
  tn_arena *arena;     // const: to allocate in; NULL: there is none
  tn_arena_mark mark;  // const: where it was
  unsigned depth;      // const: how many borrow it, this one included
} tn_scratch;

/* Borrow the first of this thread's scratch arenas that is not among the
 * conflicts.
 *
 *   conflicts  arenas in which blocks are to outlive this: those of other kinds
 *              and NULLs are allowed and do not matter
 *   count      of them
 *   returns the arena and where it is; arena NULL: no memory
 *   errors  [scratch.conflicts]; unchecked, arena is NULL
 *   threads any; the arena is the calling thread's
 *   cost    some 15 instructions; the first time a reservation
 */
TN_API tn_scratch tn_scratch_begin(tn_arena *const *conflicts, size_t count);

/* Give it back: what was allocated since it was borrowed is released.
 *
 *   scratch what tn_scratch_begin gave, on the same thread
 *   errors  [scratch.order]
 *   threads the one that borrowed
 *   cost    some 10 instructions; memory of a rare spike goes back when nobody
 *           borrows any more
 */
TN_API void tn_scratch_end(tn_scratch scratch);

/* Destroy the calling thread's scratch arenas, none of which is borrowed.  It
 * is done for every thread when it ends, but not for the process.
 *
 *   errors  [scratch.order]
 *   threads any, for itself
 *   cost    a few system calls an arena
 */
TN_API void tn_scratch_fini(void);

TN_INLINE void
tni_scratch_close(const tn_scratch *scratch)
{
  if (scratch->arena)
    tn_scratch_end(*scratch);
}

/* Declare name, a tn_arena * that is borrowed until the end of the block; NULL
 * when there is no memory.
 *
 *   ...     the arenas it must not be, at least one: NULL for none
 */
#define TN_SCRATCH(name, ...)                                                  \
  tn_arena *const tni_##name##_not[] = {__VA_ARGS__};                          \
  const tn_scratch tni_##name##_scratch                                        \
      __attribute__((cleanup(tni_scratch_close))) =                            \
          tn_scratch_begin(tni_##name##_not, (size_t)((&tni_##name##_not)[1] - \
                                                      tni_##name##_not));      \
  tn_arena *const name __attribute__((unused)) = tni_##name##_scratch.arena

TN_END_DECLS
#endif
