/* local.h -- one thread's handle of one heap, and the heap itself
 *
 * A handle keeps a stack of free blocks for each class (the fast path, in
 * <tenure/heap.h>) and the pages that it took.  An empty stack is refilled
 * from a page; a full one is flushed, each block to its page: at once when the
 * page is this handle's, through remote.h when it is another's.  So blocks
 * that a thread frees are first reused by that thread, whoever's they are.
 *
 * A handle is adopted by a thread and given back when the thread ends or is
 * idle; pages never change their handle.  Whoever holds the lock may work on a
 * handle that is idle.
 *
 *     NEW --create--> OWNED --give back--> IDLE --adopt--> OWNED
 *
 * Invariants
 *   [local.stack]  a stack's first entry is NULL; above it are blocks of this
 *                  heap, of at least the class's size; top never passes
 *                  limit.
 *   [local.busy]   a handle that is not busy is whole: what the fast paths do
 *                  to it is one store.  After a fork the child's threads adopt
 *                  handles of threads that it does not have when they are.
 *   [local.owned]  one thread has a handle that is OWNED; its fields are that
 *                  thread's.  An IDLE handle's fields are the lock's.
 * Threads   as above; remote.h has the table.
 * Design    doc/design/heap.md      Tests  test/heap/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_LOCAL_H
#define TNI_HEAP_LOCAL_H

#include "heap/page.h"
#include "os/os.h"

/* Blocks that wait, with TN_HARDEN=2: by chance, each as long as so many frees
 * on average. */
#define TNI_QUARANTINE 64u

typedef enum tni_local_state {
  TNI_LOCAL_OWNED,
  TNI_LOCAL_IDLE,
} tni_local_state;

struct tni_heap_local {
  tn_heap_local here;  // first: what the program sees
#if TNI_HEAP_CHECKED
  /* Checked libraries mark each block live: what inline functions see of the
   * stacks stays empty, and everything comes to the slow path. */
  tn_heap_local checked;
#endif
#if TN_HARDEN >= 2
  void *quarantine[TNI_QUARANTINE];  // owner: freed blocks that wait
#endif
  tn_heap *heap;                        // const
  void **stack[TN_HEAP_CLASSES];        // owner: the end of each stack
  uint8_t stack_log2[TN_HEAP_CLASSES];  // owner: of its entries; 0: none
  uint64_t busy[2];                     // owner: classes since the last tick
  uint64_t stacked[2];                  // owner: classes that have a stack
  tni_heap_page *partial[TN_HEAP_CLASSES];  // owner: pages with free blocks
  tni_heap_page *hosts[TNI_HOST_LAST + 1];  // owner: host.h
  uint32_t host_classes;           // owner: which of those are not NULL
  tni_heap_page *all;              // owner: all pages
  _Atomic(tni_heap_page *) noted;  // atomic: remote.h
  _Atomic uint32_t state;          // atomic: remote.h, and the lock
  tni_heap_local *next;            // lock: of the heap
  tni_heap_local *idle_next;       // lock
  struct tni_heap_window *window;  // owner: window.h; NULL: none yet
  _Atomic bool is_busy;            // owner: in a slow step
  uint32_t epoch;                  // lock: fork that its owner is of
  bool is_trapped;                 // owner: purge.h
  uint32_t refills;                // owner: purge.h
  uint32_t slow;                   // owner: slow steps so far
  uint32_t tick;                   // owner: purge.h
  uint32_t requests;               // owner: purge.h
  size_t paged;                    // owner: bytes of its pages
  size_t known_dirty;              // owner: dirty bytes that no trap is set for
  size_t most_given;       // owner: the most that given was since the last tick
  uint64_t tick_ns;        // owner: purge.h
  _Atomic size_t given;    // owner writes: bytes in stacks or handed out
  _Atomic size_t remote;   // owner writes: blocks freed to other handles
  _Atomic size_t batches;  // owner writes: in how many flushes
  _Atomic size_t untouched;  // owner writes: zero bytes that stayed untouched
  _Atomic size_t holes;      // owner writes: bytes purged inside pages
  _Atomic size_t lodged;     // owner writes: blocks taken from hosts
};

struct tn_heap {
  _Atomic uint64_t id;               // atomic: unique; 0 when destroyed
  tn_heap_options how;               // const
  bool is_default;                   // const
  tn_provider face;                  // const: this heap as a provider
  _Atomic(tni_heap_space *) spaces;  // atomic: acq/rel, set under the space
                                     // lock: its own; NULL: shared ones
  tni_heap_local *locals;            // lock
  tni_heap_local *idle;              // lock
  uint32_t epoch;                    // lock: fork that locals were looked at in
  tni_heap_page *large;              // lock
  tn_heap *next;               // lock: all heaps, or the list of unused records
  _Atomic size_t taken;        // atomic: relaxed: bytes of pages
  _Atomic size_t peak;         // atomic: relaxed
  _Atomic size_t large_bytes;  // atomic: relaxed
  _Atomic size_t grown;        // atomic: relaxed
  _Atomic size_t moved;        // atomic: relaxed
};

/* Spaces of heaps that are apart: atomic, relaxed. */
extern _Atomic size_t tni_heap_apart;

/* The lock of everything marked so here. */
void tni_heap_lock(void);
void tni_heap_unlock(void);

/* The process's heap's handle of this thread; a handle whose stacks are all
 * empty and full before the first use. */
extern __attribute__((
    visibility("hidden"))) _Thread_local tn_heap_local *tni_heap_here
    __attribute__((tls_model("initial-exec")));
extern tn_heap tni_heap_default;
extern tni_heap_local tni_heap_nobody;

static inline tn_heap_local *
tni_local_cache(tni_heap_local *local)
{
#if TNI_HEAP_CHECKED
  return &local->checked;
#else
  return &local->here;
#endif
}

/* This thread's handle of heap, adopted or made when it has none.  NULL: out
 * of memory. */
tni_heap_local *tni_local_of(tn_heap *heap);
/* A handle for a thread that is ending: give it back with tni_local_leave. */
tni_heap_local *tni_local_enter(tn_heap *heap);
void tni_local_leave(tni_heap_local *local);

/* Bytes of a block by class, as tni_class_size, windows too; filled in with the first handle
 * and const then. */
extern __attribute__((visibility("hidden")))
uint32_t tni_local_sizes[TN_HEAP_CLASSES + TN_HEAP_WINDOWS];

/* Fill in the table of classes. */
void tni_local_fill_table(tni_heap_local *local);

/* A slow step begins, and ends: [local.busy].  fork sees an owner's stores in
 * their order, so only the compiler must not change it. */
static inline void
tni_local_begin(tni_heap_local *local)
{
  tni_store_relaxed(&local->is_busy, true);
  atomic_signal_fence(memory_order_seq_cst);
}

static inline void
tni_local_end(tni_heap_local *local)
{
  atomic_signal_fence(memory_order_seq_cst);
  tni_store_relaxed(&local->is_busy, false);
}

/* A block of a class, from the stack or a page. */
void *tni_local_take(tni_heap_local *local, unsigned size_class);
/* Put a block on the stack, which is flushed when it is full. */
void tni_local_give(tni_heap_local *local, void *block, unsigned size_class);
/* The same without the stack: straight from and to pages. */
void *tni_local_take_zero(tni_heap_local *local, unsigned size_class,
                          size_t *untouched);
size_t tni_local_take_batch(tni_heap_local *local, unsigned size_class,
                            void **out, size_t n);
/* Give a block back to its page, whosever that is. */
void tni_local_return(tni_heap_local *local, void *block);
/* A page with a free block of the class; NULL: there is none. */
tni_heap_page *tni_local_find_page(tni_heap_local *local, unsigned size_class);
/* A new one; NULL: out of memory. */
tni_heap_page *tni_local_new_page(tni_heap_local *local, unsigned size_class);
/* Take a page off the list of its class. */
void tni_local_unlist(tni_heap_local *local, tni_heap_page *page);
/* Tell the map whose blocks the page's slices hold: [space.map]. */
void tni_local_map(const tni_heap_page *page, unsigned size_class);
/* Empty the oldest n entries of a stack. */
void tni_local_flush(tni_heap_local *local, unsigned size_class, size_t n);
/* Empty all stacks, and take in what others freed. */
void tni_local_flush_all(tni_heap_local *local);

/* A page has come to have free blocks again, or only free ones. */
void tni_local_settle(tni_heap_local *local, tni_heap_page *page);
/* Give an empty page back. */
void tni_local_drop_page(tni_heap_local *local, tni_heap_page *page);
/* Give all of the calling thread's handles back. */
void tni_local_give_back_all(void);
/* Unlist a heap's handles, lock held: their records may be used again. */
void tni_local_forget(tni_heap_local *locals);
/* The nth block of the quarantine, NULL where there is none. */
static inline void *
tni_local_waiting(const tni_heap_local *local, unsigned n)
{
#if TN_HARDEN >= 2
  return local->quarantine[n];
#else
  (void)local, (void)n;
  return NULL;
#endif
}

/* Free blocks on a stack. */
size_t tni_local_count(tni_heap_local *local, unsigned size_class);

/* The page of a block that is surely one of this heap. */
tni_heap_page *tni_heap_page_of(const tn_heap *heap, const void *block);

/* Whether bytes more may be taken; then they are counted. */
bool tni_heap_charge(tn_heap *heap, size_t bytes);
void tni_heap_uncharge(tn_heap *heap, size_t bytes);
/* A run of slices for a heap, growing its own spaces; not charged. */
tni_heap_page *tni_heap_take_slices(tn_heap *heap, size_t slices, size_t align,
                                    bool prefer_clean, bool *is_clean);
/* Whether it has memory of its own: a buffer, or a provider's. */
static inline bool
tni_heap_is_apart(const tn_heap *heap)
{
  return heap->how.buffer || heap->how.provider;
}
/* log2 of the bytes of a heap's slices. */
unsigned tni_heap_slice_log2(const tn_heap *heap);

#endif
