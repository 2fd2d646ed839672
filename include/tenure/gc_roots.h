/* gc_roots.h -- the threads of a heap, and the roots that they have
 *
 * A thread that uses a heap attaches to it and has a mutator.  A root is a place
 * outside of the heap that keeps an object alive, and is told where the object
 * went when it moved:
 *
 *   frames     TN_ROOTS: a block's, for what a function works with
 *   handles    one by one, for what outlives the function
 *   globals    tn_gc_root_add: references in memory of the program's
 *   pins       the object stays where it is, besides
 *   ambiguous  stacks (tn_gc_options.scans_stacks), ranges, all globals: words
 *              that may name objects; what they name does not move
 *
 * Invariants
 *   [gc.thread]   a mutator is used by the thread that attached it.
 *   [gc.block]    blocking regions do not nest, and nothing of the heap is used
 *                 in one.
 *   [gc.frames]   a thread is detached outside of the blocks of its TN_ROOTS.
 *   [gc.handle]   a handle is removed once.
 *   [gc.coroutine]  a switch names stacks that the heap knows.
 * Threads   each has its own mutator; a call on a heap is for any.
 * Failure   NULL or a status, nothing changed.
 * Design    doc/design/gc.md      Tests  test/gc/, test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_GC_ROOTS_H
#define TENURE_GC_ROOTS_H

#include <tenure/gc_type.h>

TN_BEGIN_DECLS

/* ---- Threads --------------------------------------------------------------- */

typedef struct tn_gc_frame tn_gc_frame;

/* A thread's part of a heap.  The fields are for the inline functions below. */
typedef struct tn_mutator {
  unsigned char *cursor;  // owner: the next object, after its header
  unsigned char *limit;   // owner: cursor may grow to here
  tn_gc_frame *frames;    // owner: innermost frame of roots
  uint32_t poll;          // atomic: not 0 asks for tn_gc_safepoint
  unsigned thread;        // const: tn_gc_attach was called on it
} tn_mutator;

/* Make the calling thread a mutator of heap.
 *
 *   status  receives why not; may be NULL
 *   returns the mutator; NULL with TN_ENOMEM, or TN_ENOTSUP when the heap scans
 *           stacks and this one's bounds are unknown
 *   threads any; waits for a collection that runs
 *   cost    O(1)
 */
TN_API tn_mutator *tn_gc_attach(tn_gc *heap, tn_status *status);

/* End the thread's part in its heap; outside of every block of TN_ROOTS, whose
 * end writes to m.  Inside one, where checks are off, nothing is done: the thread
 * is attached until it calls outside.
 *
 *   threads the owner of m
 *   cost    O(1)
 */
TN_API void tn_gc_detach(tn_mutator *m);

/* Begin a region in which this thread touches no object of the heap (a system
 * call that may block): collections do not wait for it.  Regions do not nest.
 *
 *   threads the owner of m
 *   cost    a lock
 */
TN_API void tn_gc_block_begin(tn_mutator *m);

/* End it; waits for a collection that runs.  Objects may have moved.
 *
 *   threads the owner of m
 *   cost    a lock
 */
TN_API void tn_gc_block_end(tn_mutator *m);

/* Take heap through fork: begin before, on the thread that forks; end after it
 * in both processes.  The child has the forking thread's mutator only.
 *
 *   threads the owner of m
 *   cost    stops the others
 */
TN_API void tn_gc_fork_begin(tn_mutator *m);

/* See tn_gc_fork_begin.
 *
 *   is_child  fork returned 0
 *   threads the owner of m
 */
TN_API void tn_gc_fork_end(tn_mutator *m, bool is_child);

/* ---- Roots ------------------------------------------------------------------- */

/* A number of references on the stack; count of them follow. */
struct tn_gc_frame {
  tn_gc_frame *previous;
  size_t count;
  tn_mutator *mutator;
};

/* Take the innermost frame off; for TN_ROOTS.  The owner of m. */
TN_INLINE void
tni_gc_leave(void *roots)
{
  const tn_gc_frame *const frame = (const tn_gc_frame *)roots;
  frame->mutator->frames = frame->previous;
}

/* Declare roots: TN_ROOTS(m, r, left, right, table[4]) gives r.left, r.right
 * and r.table, all TN_REF_NULL, until the block ends.  The owner of m. */
#define TN_ROOTS(m, name, ...)                                                 \
  struct {                                                                     \
    tn_gc_frame frame;                                                         \
    tn_ref __VA_ARGS__;                                                        \
  } name __attribute__((cleanup(tni_gc_leave))) = {                            \
      .frame = {(m)->frames,                                                   \
                (sizeof name - sizeof(tn_gc_frame)) / sizeof(tn_ref), (m)}};   \
  (m)->frames = &name.frame

/* A reference that lives until it is removed, outside of any frame; NULL when
 * memory has run out.  Read and change it through the pointer.
 *
 *   threads any that may use objects
 *   cost    O(1), a lock
 */
TN_API tn_ref *tn_gc_handle(tn_mutator *m, tn_ref object);

/* Remove a handle; NULL is allowed.  Threads: any.  O(1), a lock. */
TN_API void tn_gc_handle_remove(tn_mutator *m, tn_ref *handle);

/* Make count references at roots roots until they are removed.
 *
 *   roots   globals, or memory of the program's; not in the heap
 *   returns TN_OK; TN_ENOMEM
 *   threads any
 *   cost    O(1), a lock
 */
TN_API tn_status tn_gc_root_add(tn_gc *heap, tn_ref *roots, size_t count);

/* Remove what tn_gc_root_add or tn_gc_range_add was given; TN_EINVAL when it is
 * not there.  Threads: any.  O(ranges), a lock. */
TN_API tn_status tn_gc_root_remove(tn_gc *heap, const void *roots);

/* Scan [low, high) for words that may name objects; what they name stays where
 * it is.
 *
 *   returns TN_OK; TN_ENOMEM; TN_ENOTSUP when the collector moves everything
 *   threads any
 *   cost    O(1), a lock
 */
TN_API tn_status tn_gc_range_add(tn_gc *heap, const void *low,
                                 const void *high);

/* Scan the writable data of the program and of every library, now loaded or
 * later, and each attached thread's thread-local variables.
 *
 *   returns TN_OK; TN_ENOTSUP when the collector moves everything or the
 *           system cannot say where they are
 *   threads any
 *   cost    O(1)
 */
TN_API tn_status tn_gc_globals_add(tn_gc *heap);

/* A stack that a thread may run on besides its own. */
typedef struct tn_coroutine tn_coroutine;

/* Tell the heap of a stack; its words are roots while it is suspended, when the
 * heap scans stacks, and its frames always.
 *
 *   low     lowest byte of the stack; high one past the last
 *   returns NULL when memory has run out
 *   threads any
 *   cost    a lock
 */
TN_API tn_coroutine *tn_gc_coroutine(tn_gc *heap, const void *low,
                                     const void *high);

/* Call directly before switching stacks: from is suspended, to will run.
 *
 *   from    NULL for the thread's own stack; to likewise
 *   threads the owner of m
 *   cost    saves the registers
 */
TN_API void tn_gc_switch(tn_mutator *m, tn_coroutine *from, tn_coroutine *to);

/* Forget a suspended coroutine.  Threads: any.  A lock. */
TN_API void tn_gc_coroutine_remove(tn_gc *heap, tn_coroutine *coroutine);

/* Keep an object where it is until it is unpinned as often; it is kept alive,
 * too.
 *
 *   returns TN_OK; TN_ENOMEM; TN_ENOTSUP when the collector moves everything
 *           and the object is not a large one (see tn_gc_new_pinned)
 *   threads the owner of m
 *   cost    O(1), a lock
 */
TN_API tn_status tn_gc_pin(tn_mutator *m, tn_ref object);

/* Undo one tn_gc_pin; TN_EINVAL when it is not pinned.  The owner of m;
 * O(pinned objects), the youngest first; a lock. */
TN_API tn_status tn_gc_unpin(tn_mutator *m, tn_ref object);

TN_END_DECLS
#endif
