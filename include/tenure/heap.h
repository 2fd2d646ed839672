/* heap.h -- the general heap: blocks whose lifetimes nobody knows
 *
 * Any number of heaps, each of which any thread may create, use and destroy.
 * A thread works on a heap through a handle of its own (tn_heap_here), whose
 * fast path is inline: a stack of free blocks for each size class.  When you
 * know a lifetime, use bump.h or an arena instead: they cost less.
 *
 *     handle   top[class] -> |NULL| block | block | block |
 *     pages      64 KiB slices cut into blocks of one class; which blocks are
 *                free is a bitmap that lies elsewhere, so free blocks hold
 *                nothing of ours and no overflow reaches our records
 *
 * Invariants
 *   [heap.align]    a block is aligned as asked, and to TN_ALIGN at least
 *                   unless 8 was asked.
 *   [heap.live]     live blocks never overlap.
 *   [heap.zero]     zeroed means every granted byte is 0.
 *   [heap.same]     a failed call has changed nothing.
 *   [heap.limit]    a heap never takes more pages than its limit allows.
 * Contracts
 *   [heap.options]  a limit is not 0; a buffer holds TN_HEAP_BUFFER_MIN bytes.
 *   [heap.pointer]  what is freed is the start of a block of this library.
 *                   A pointer that is in no heap always stops the program.
 *   [heap.block]    it is live: not freed before, not inside a block (checked
 *                   exactly with TN_HARDEN or TN_DEBUG from 1).
 *   [heap.size]     a size that is given with it fits the block (likewise).
 *   [heap.owner]    it is freed to the heap that it came from (likewise).
 *   [heap.destroy]  nobody uses a heap while it is destroyed, or after.
 * Threads   any thread may call everything at any time, also with blocks of
 *           other threads; a handle belongs to the thread that asked for it.
 * Failure   NULL or a status.
 * Cost      6 instructions each for tn_heap_take and tn_heap_give when the
 *           size is a constant.
 * Source    thread caches as in tcmalloc, pages and their hand-over as in
 *           mimalloc; ours keeps bitmaps instead of links in free blocks.
 * Design    doc/design/heap.md      Tests  test/heap/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_HEAP_H
#define TENURE_HEAP_H

#include <tenure/base.h>
#include <tenure/provider.h>

TN_BEGIN_DECLS

/* Size classes: 0 is none; 16 to 128 in steps of 16, then 8 a doubling to
 * TN_HEAP_SMALL_MAX, then 24, 40 and 56 for who asks for an alignment of 8. */
#define TN_HEAP_CLASSES    92
#define TN_HEAP_WINDOWS    33  // classes up to TN_HEAP_TABLE_MAX
#define TN_HEAP_SMALL_MAX  ((size_t)131072)
#define TN_HEAP_TABLE_MAX  ((size_t)1024)
#define TN_HEAP_BUFFER_MIN ((size_t)32768)

typedef struct tn_heap tn_heap;

/* One thread's way into one heap.  The fields are for the inline functions
 * below only. */
typedef struct tn_heap_local {
  void **top[TN_HEAP_CLASSES + TN_HEAP_WINDOWS];  // owner: the newest free
                                                  // block; below the oldest
                                                  // is NULL
  void **limit[TN_HEAP_CLASSES];                  // owner: where top must stop
  unsigned char class_of[TN_HEAP_TABLE_MAX / 16 + 1];  // const: of size / 16,
                                                       // rounded up
} tn_heap_local;

/* The class of a size, from 1 to TN_HEAP_SMALL_MAX; folds for constants.
 *
 *   returns 1 to TN_HEAP_CLASSES - 1
 */
TN_INLINE unsigned
tn_heap_class(size_t size)
{
  if (size <= 128)
    return size ? (unsigned)((size + 15) / 16) : 1;
  const unsigned log2 = 63u - (unsigned)__builtin_clzll(size - 1);
  return 9 + (log2 - 7) * 8 + (unsigned)(((size - 1) >> (log2 - 3)) & 7);
}

/* ---- Heaps ---------------------------------------------------------------- */

typedef struct tn_heap_options {
  const char *name;       // for messages; NULL for none; kept by reference
  size_t limit;           // bytes of pages at most; SIZE_MAX for no limit
  tn_provider *provider;  // where pages come from, from any thread; NULL: the
                          // system
  void *buffer;           // or this memory, and no other; NULL: none
  size_t buffer_size;     // bytes of it
} tn_heap_options;

#define TN_HEAP_DEFAULTS ((tn_heap_options){.limit = SIZE_MAX})

/* Make a heap.
 *
 *   options NULL for TN_HEAP_DEFAULTS
 *   status  why not, when the result is NULL; may be NULL
 *   returns the heap; NULL: TN_ENOMEM, or TN_EINVAL for options that break
 *           the contract
 *   threads any
 *   cost    a lock and some hundred instructions
 */
TN_API tn_heap *tn_heap_create(const tn_heap_options *options,
                               tn_status *status);

/* Free all blocks of a heap at once, and the heap.  NULL is allowed; the
 * process's heap (tn_heap_default) is left alone.
 *
 *   threads any; nobody may be using it, nor later
 *   cost    O(pages)
 */
TN_API void tn_heap_destroy(tn_heap *heap);

/* The process's heap, which malloc uses where our malloc is linked.
 *
 *   returns never NULL
 *   threads any
 *   cost    a few instructions
 */
TN_API tn_heap *tn_heap_default(void);

/* The calling thread's handle of a heap; valid until the thread ends, calls
 * tn_idle, or the heap is destroyed.
 *
 *   returns NULL when out of memory
 *   threads any; the handle is this thread's alone
 *   cost    a few instructions for the heap used last; the first time a lock
 */
TN_API tn_heap_local *tn_heap_here(tn_heap *heap);

/* ---- Blocks ---------------------------------------------------------------- */

enum {
  TN_HEAP_ZERO = 1 << 0,  // the block is zeroed; zero memory is not touched
};

/* Allocate a block.
 *
 *   size    bytes; 0 yields a block that must not be dereferenced
 *   align   a power of two up to 2^30; 8 lets 24 bytes cost 24
 *   flags   0 or TN_HEAP_ZERO
 *   returns the block; pointer NULL when out of memory, after the reclaim hook
 *           (tn_vm_set_reclaim) had its turn
 *   threads any
 *   cost    O(1); a lock each 64 KiB of small blocks, or for a large block
 */
TN_API tn_block tn_heap_allocate(tn_heap *heap, size_t size, size_t align,
                                 unsigned flags);

/* Free a block of this heap.  NULL is allowed.
 *
 *   size    bytes, from the size asked to the size granted
 *   align   as asked
 *   threads any
 *   cost    O(1)
 */
TN_API void tn_heap_free(tn_heap *heap, void *pointer, size_t size,
                         size_t align);

/* Free a block of any heap.  NULL is allowed.  Anything else that is not a
 * block stops the program with one line that says what it is.
 *
 *   threads any
 *   cost    O(1)
 */
TN_API void tn_heap_free_any(void *pointer);

/* Make a block larger or smaller where it is.
 *
 *   min     bytes it must have, at least 1
 *   wanted  bytes that would be welcome, at least min
 *   returns bytes granted, at least min; 0 when the block cannot have that
 *           where it is (then nothing has changed)
 *   threads any
 *   cost    O(1); growing a large block may take a lock and a system call
 */
TN_API size_t tn_heap_resize(void *pointer, size_t min, size_t wanted);

/* Make a block larger or smaller, moving it when it must be.
 *
 *   pointer a block of any heap, or NULL for a new one of heap
 *   heap    where it goes when it moves; NULL: the heap it is from
 *   size    bytes, at least 1
 *   align   a power of two; what is moved is aligned to it
 *   returns the block; pointer NULL when out of memory (the old block is
 *           unchanged); zeroed is false
 *   threads any
 *   cost    O(size) when it moves; large blocks are remapped, not copied
 */
TN_API tn_block tn_heap_reallocate(tn_heap *heap, void *pointer, size_t size,
                                   size_t align);

/* Allocate n blocks of one size.
 *
 *   out     receives them
 *   returns how many there are: less than n when out of memory
 *   threads any
 *   cost    O(n), less than n calls
 */
TN_API size_t tn_heap_allocate_batch(tn_heap *heap, size_t size, size_t align,
                                     size_t n, void **out);

/* Free n blocks of any heaps; NULLs are allowed among them.
 *
 *   threads any
 *   cost    O(n), less than n calls
 */
TN_API void tn_heap_free_batch(void **blocks, size_t n);

/* What a block has: the bytes that may be used.
 *
 *   pointer the start of a live block of any heap
 *   returns bytes; 0 for NULL and for what is not in a heap
 *   threads any
 *   cost    O(1)
 */
TN_API size_t tn_heap_granted(const void *pointer);

/* What would be granted for a request.
 *
 *   returns bytes, at least size; 0 when no block can be that large
 *   threads any
 *   cost    a few instructions
 */
TN_API size_t tn_heap_good_size(size_t size, size_t align);

/* The heap that a pointer is in.
 *
 *   pointer any value
 *   returns NULL when it is in no page of a heap
 *   threads any
 *   cost    a look-up in the page map
 */
TN_API tn_heap *tn_heap_of(const void *pointer);

/* ---- Giving memory back ----------------------------------------------------- */

/* Give back to the system what no block needs, now: free pages of all heaps,
 * and what this thread and those that are idle keep.  Other threads follow at
 * their next slow step.
 *
 *   returns bytes given back by this call
 *   threads any
 *   cost    O(pages), a system call for each run of them
 */
TN_API size_t tn_purge_all(void);

/* The calling thread will not allocate for a while: what it keeps in its
 * handles goes back to their pages, and the handles may be used by others.
 * Handles from tn_heap_here are invalid afterwards.
 *
 *   threads any
 *   cost    O(blocks kept)
 */
TN_API void tn_idle(void);

/* ---- What is in a heap -------------------------------------------------------- */

typedef struct tn_heap_stats {
  size_t live;      // bytes in live blocks; those that running threads keep
                    // for reuse count as live, except the caller's
  size_t cached;    // bytes kept for reuse by the caller and by idle threads
  size_t pages;     // bytes of pages taken from the system or provider
  size_t peak;      // the most that pages ever was
  size_t large;     // of live, bytes in blocks of their own
  size_t purged;    // bytes given back to the system so far
  size_t remote;    // blocks freed by another thread than the page's, so far
  size_t batches;   // in how many steps
  size_t grown;     // times that a large block grew in place
  size_t moved;     // times that one was remapped
  size_t unzeroed;  // bytes that a request for zeros did not have to touch
  size_t holes;     // bytes purged inside pages that hold live blocks
  size_t lodged;    // blocks taken from holes of pages of smaller blocks
  size_t handles;   // threads' handles, idle ones included
} tn_heap_stats;

/* Count what is in a heap.
 *
 *   threads any; while others use the heap the numbers are of no one moment
 *   cost    O(handles)
 */
TN_API void tn_heap_get_stats(tn_heap *heap, tn_heap_stats *stats);

/* The same as one line of JSON, with retained (pages - live) and fragmentation
 * (retained / pages).
 *
 *   buffer  receives the text, cut to fit, always ended by a NUL
 *   size    bytes of buffer, at least 1
 *   returns the length of the text
 *   threads as tn_heap_get_stats
 *   cost    O(handles)
 */
TN_API size_t tn_heap_json(tn_heap *heap, char *buffer, size_t size);

/* Called for each live block; false ends the walk. */
typedef bool tn_heap_visit_fn(void *argument, void *block, size_t size);

/* Visit the live blocks of a heap, those of each page in ascending order.
 *
 *   returns false when visit did
 *   threads any, while no other thread uses the heap; visit must not either
 *   cost    O(pages + blocks)
 */
TN_API bool tn_heap_walk(tn_heap *heap, tn_heap_visit_fn *visit,
                         void *argument);

/* The heap as a provider (provider.h), for disciplines and containers that
 * take any allocator; it lives as long as the heap.
 *
 *   returns never NULL
 *   threads any
 *   cost    a few instructions
 */
TN_API tn_provider *tn_heap_provider(tn_heap *heap);

/* ---- The inline fast path ------------------------------------------------------ */

/* What tn_heap_take calls when a stack is empty; as it. */
TN_API TN_COLD void *tn_heap_take_slow(tn_heap_local *here, size_t size);

/* What tn_heap_give calls when a stack is full; as it. */
TN_API TN_COLD void tn_heap_give_slow(tn_heap_local *here, void *pointer,
                                      size_t size);

/* Allocate a block through a handle; made for sizes that are constants.
 *
 *   here    this thread's handle (tn_heap_here)
 *   size    bytes
 *   returns the block, aligned to TN_ALIGN, not zeroed; NULL when out of memory
 *   threads the handle's
 *   cost    6 instructions for a constant size up to TN_HEAP_SMALL_MAX
 */
TN_INLINE void *
tn_heap_take(tn_heap_local *here, size_t size)
{
  if (TN_LIKELY(size <= TN_HEAP_SMALL_MAX)) {
    const unsigned size_class = tn_heap_class(size);
    void **const top = here->top[size_class];
    void *const block = *top;
    if (TN_LIKELY(block != NULL)) {
      here->top[size_class] = top - 1;
      return block;
    }
  }
  return tn_heap_take_slow(here, size);
}

/* Free a block that came from this heap (through any handle), with its size.
 *
 *   here    this thread's handle
 *   pointer the block, not NULL
 *   size    bytes, as asked from tn_heap_take
 *   threads the handle's
 *   cost    6 instructions for a constant size up to TN_HEAP_SMALL_MAX
 */
TN_INLINE void
tn_heap_give(tn_heap_local *here, void *pointer, size_t size)
{
  if (TN_LIKELY(size <= TN_HEAP_SMALL_MAX)) {
    const unsigned size_class = tn_heap_class(size);
    void **const top = here->top[size_class];
    if (TN_LIKELY(top != here->limit[size_class])) {
      top[1] = pointer;
      __atomic_signal_fence(__ATOMIC_RELEASE);  // fork sees all or nothing
      here->top[size_class] = top + 1;
      return;
    }
  }
  tn_heap_give_slow(here, pointer, size);
}

TN_END_DECLS
#endif
