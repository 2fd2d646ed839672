/* gc.h -- objects that live as long as they can be reached
 *
 * One mutator API, several collectors, chosen when the heap is created.  An
 * object is a header of eight bytes and what its type says.  Collectors may
 * move objects: a tn_ref in a root or in an object is kept up to date, one in a
 * plain C variable is not (unless the heap scans stacks, see tn_gc_options).
 *
 *   gc_type.h      references, and types of objects
 *   gc_roots.h     threads, and the roots that they have
 *   gc_weak.h      weak references, ephemerons, finalizers
 *   gc.h           heaps, allocation, stores, collecting; includes these
 *   gc_snapshot.h  what is in a heap, and why
 *
 * The life of a program with a heap
 *   create the heap, create types, attach the thread, allocate objects, keep
 *   them in roots, store references with tn_gc_write only, let the collector
 *   run at allocations and safepoints; detach, destroy.
 *
 * Invariants
 *   [gc.root]     between two points where a collection may run (allocation,
 *                 safepoint, blocking region, collect) every object that is
 *                 used again is in a root.
 *   [gc.write]    a reference in an object is changed by tn_gc_write and its
 *                 relatives only; an object may be filled plainly until the
 *                 next point where a collection may run.
 *   [gc.size]     sizes and counts given are in range.
 *   [gc.attached]  a heap is destroyed when no thread is attached.
 *   [gc.reenter]  what runs inside a call on a heap (the reclaim hook of
 *                 tn_vm_set_reclaim, trace functions, walks, event listeners)
 *                 does not lock that heap: it does not allocate there, collect,
 *                 or ask for figures.
 * Threads   each thread has its own mutator; calls on a heap are for any.
 * Failure   running out is an answer: TN_REF_NULL or a status, after a
 *           collection of everything has been tried.
 * Cost      allocation 5 instructions and the header, a write 2 and the store.
 * Source    the shape of the API is Whippet's and MMTk's; ours chooses at run
 *           time.  The barrier is the quad-colour collector's (Pall, LuaJIT).
 * Design    doc/design/gc.md      Tests  test/gc/, test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_GC_H
#define TENURE_GC_H

#include <tenure/gc_roots.h>
#include <tenure/gc_type.h>
#include <tenure/gc_weak.h>

TN_BEGIN_DECLS

/* ---- Heaps ----------------------------------------------------------------- */

typedef enum tn_gc_sizing {
  TN_GC_FIXED,     // the limit is heap_size
  TN_GC_GROWABLE,  // factor times what is live, up to heap_size
  TN_GC_ADAPTIVE,  // MemBalancer: what is live plus a share of the root of live
                   // times the allocation rate over the collection rate
} tn_gc_sizing;

/* Rare paths made the usual ones, for tests; also TENURE_GC_STRESS=slow,gc. */
typedef enum tn_gc_stress {
  TN_GC_STRESS_SLOW = 1,   // every allocation takes the slow path
  TN_GC_STRESS_GC = 2,     // every slow path collects first
  TN_GC_STRESS_MOVE = 4,   // every collection moves whatever may move
  TN_GC_STRESS_OOM = 8,    // the first try of every slow path fails
  TN_GC_STRESS_TINY = 16,  // memory is handed out in the smallest pieces
} tn_gc_stress;

/* How a heap is made; all zero is a good heap of one thread. */
typedef struct tn_gc_options {
  const char *collector;  // NULL: $TENURE_GC, or "gen"
  tn_gc_sizing sizing;    // how the limit moves
  size_t heap_size;       // bytes at most; 0: an eighth of the memory there is
  double factor;          // growable: limit over live; 0 is 2
  size_t nursery_size;    // gen: bytes; 0: from the cache and survival
  unsigned workers;       // threads that mark, the collecting one included;
                          // 0 is 1, at most TN_GC_WORKERS
  bool scans_stacks;      // plain C variables and registers are roots, too;
                          // what they name never moves
  bool verifies;          // check the whole heap round every collection
  unsigned stress;        // of tn_gc_stress
  const char *name;       // for messages
} tn_gc_options;

#define TN_GC_DEFAULTS ((tn_gc_options){0})
#define TN_GC_WORKERS  16u

/* Make a heap.
 *
 *   options NULL for the defaults
 *   status  receives why not; may be NULL
 *   returns the heap; NULL with TN_ENOMEM, TN_EINVAL (an unknown collector: one
 *           line on standard error lists the known ones), TN_ENOTSUP (the
 *           collector moves everything and cannot scan stacks: one line)
 *   threads any
 *   cost    reserves address space
 */
TN_API tn_gc *tn_gc_create(const tn_gc_options *options, tn_status *status);

/* Give everything back.  Finalizers that have not run are dropped.
 *
 *   heap    no mutator is attached
 *   threads one, the last to use the heap
 *   cost    O(chunks); a few system calls
 */
TN_API void tn_gc_destroy(tn_gc *heap);

/* The name of a heap's collector: static text.  Any thread. */
TN_API const char *tn_gc_collector(const tn_gc *heap);

/* The name of the i-th collector of this build, in the order of their
 * introduction; NULL from the count on.  Any thread. */
TN_API const char *tn_gc_collector_name(size_t i);

/* ---- Slow paths of the inline functions; private ---------------------------- */

TN_API TN_COLD tn_ref tni_gc_new(tn_mutator *m, const tn_type *type,
                                 size_t bytes);
TN_API TN_COLD tn_ref tni_gc_new_array(tn_mutator *m, const tn_type *type,
                                       size_t count);
TN_API TN_COLD void tni_gc_log(tn_mutator *m, tn_ref object, void *slot);
TN_API TN_COLD void tni_gc_write(tn_mutator *m, tn_ref object, tn_ref *slot,
                                 tn_ref value);
TN_API TN_COLD void tni_gc_poll(tn_mutator *m);
TN_API TN_COLD void tni_gc_check(tn_mutator *m, tn_ref object, const void *slot,
                                 tn_ref value);
TN_API TN_COLD void tni_gc_check_new(const tn_mutator *m, const tn_type *type,
                                     size_t size);

/* ---- Allocation -------------------------------------------------------------- */

/* Allocate an object whose size the compiler knows: TN_GC_NEW.
 *
 *   size    sizeof the type's struct, as its spec said
 *   returns the object, all zero; TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    5 instructions and the header; a call each 32 KiB; may collect
 */
TN_INLINE tn_ref
tn_gc_new_sized(tn_mutator *m, const tn_type *type, size_t size)
{
  if (TN_DEBUG >= 1)
    tni_gc_check_new(m, type, size);
  const size_t bytes = TN_GC_HEADER + (size == 0 ? 8 : (size + 7) & ~(size_t)7);
  unsigned char *const object = m->cursor;
  if (bytes > TN_GC_LARGE || TN_UNLIKELY(object + bytes > m->limit))
    return tni_gc_new(m, type, bytes);
  m->cursor = object + bytes;
  *(const tn_type **)(void *)(object - TN_GC_HEADER) = type;
  const tn_ref made = {object};
  return made;
}

/* Allocate a `struct` of a type: the object, all zero, or TN_REF_NULL.  As
 * tn_gc_new_sized; threads: the owner of m. */
#define TN_GC_NEW(m, ctype, type) tn_gc_new_sized(m, type, sizeof(ctype))

/* Allocate an object of a type without elements.
 *
 *   returns the object, all zero; TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    as tn_gc_new_sized, and a load of the size
 */
TN_INLINE tn_ref
tn_gc_new(tn_mutator *m, const tn_type *type)
{
  return tn_gc_new_sized(m, type, type->size);
}

/* Allocate an object with elements, all zero, its count filled in.
 *
 *   count   elements; 0 is allowed
 *   returns the object; TN_REF_NULL when memory has run out, also when the size
 *           does not fit in a size_t
 *   threads the owner of m
 *   cost    a call; O(size); may collect
 */
TN_INLINE tn_ref
tn_gc_new_array(tn_mutator *m, const tn_type *type, size_t count)
{
  return tni_gc_new_array(m, type, count);
}

/* Does a write to object take the slow path?  A plain load, which compilers
 * test in memory; threads race for it harmlessly, and tell TSan so. */
TN_INLINE bool
tni_gc_is_logged(tn_ref object)
{
  const unsigned char *const logged = (const unsigned char *)object.at - 1;
#if defined(__SANITIZE_THREAD__)
  return __atomic_load_n(logged, __ATOMIC_RELAXED) != 0;
#else
  return *logged != 0;
#endif
}

/* ---- Stores ------------------------------------------------------------------ */

/* Store a reference in an object.
 *
 *   object  what slot lies in
 *   slot    the place
 *   value   the new reference; may be TN_REF_NULL
 *   threads the owner of m
 *   cost    2 instructions and the store; a call when the object is logged
 */
TN_INLINE void
tn_gc_write(tn_mutator *m, tn_ref object, tn_ref *slot, tn_ref value)
{
  if (TN_DEBUG >= 1)
    tni_gc_check(m, object, slot, value);
  if (TN_UNLIKELY(tni_gc_is_logged(object))) {
    tni_gc_write(m, object, slot, value);
    return;
  }
  __atomic_store_n(&slot->at, value.at, __ATOMIC_RELAXED);
}

/* Store a word that may be a reference in an ambiguous field.
 *
 *   threads the owner of m
 *   cost    as tn_gc_write
 */
TN_INLINE void
tn_gc_write_word(tn_mutator *m, tn_ref object, uintptr_t *slot, uintptr_t value)
{
  if (TN_UNLIKELY(tni_gc_is_logged(object)))
    tni_gc_log(m, object, slot);
  __atomic_store_n(slot, value, __ATOMIC_RELAXED);
}

/* Swap a reference in an object for another, atomically.
 *
 *   returns what was there
 *   threads the owner of m; others may do the same
 *   cost    one locked instruction
 */
TN_INLINE tn_ref
tn_gc_exchange(tn_mutator *m, tn_ref object, tn_ref *slot, tn_ref value)
{
  if (TN_UNLIKELY(tni_gc_is_logged(object)))
    tni_gc_log(m, object, slot);
  const tn_ref was = {
      __atomic_exchange_n(&slot->at, value.at, __ATOMIC_ACQ_REL)};
  return was;
}

/* Replace a reference in an object if it is the expected one, atomically.
 *
 *   expected  receives what was there when it was another
 *   returns true: replaced
 *   threads the owner of m; others may do the same
 *   cost    one locked instruction
 */
TN_INLINE bool
tn_gc_compare_exchange(tn_mutator *m, tn_ref object, tn_ref *slot,
                       tn_ref *expected, tn_ref value)
{
  if (TN_UNLIKELY(tni_gc_is_logged(object)))
    tni_gc_log(m, object, slot);
  return __atomic_compare_exchange_n(&slot->at, &expected->at, value.at, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Copy references into an object, as memmove does.
 *
 *   object  what to lies in
 *   to      the first place
 *   from    the first reference, in any object or elsewhere
 *   count   references
 *   threads the owner of m
 *   cost    a memmove and one look at the object
 */
TN_API void tn_gc_copy(tn_mutator *m, tn_ref object, tn_ref *to,
                       const tn_ref *from, size_t count);

/* Let a collection happen here if one is asked for: in loops that do not
 * allocate.
 *
 *   threads the owner of m
 *   cost    a load and a branch; may wait for a collection
 */
TN_INLINE void
tn_gc_safepoint(tn_mutator *m)
{
  if (TN_UNLIKELY(__atomic_load_n(&m->poll, __ATOMIC_RELAXED) != 0))
    tni_gc_poll(m);
}

/* ---- Objects ----------------------------------------------------------------- */

/* Allocate an object that never moves, on every collector: a large object,
 * whatever its size.
 *
 *   count   elements, for a type that has them; otherwise 0
 *   returns the object; TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    at least a page
 */
TN_API tn_ref tn_gc_new_pinned(tn_mutator *m, const tn_type *type,
                               size_t count);

/* A number that an object keeps when it moves; two objects may share one.
 *
 *   threads the owner of m
 *   cost    O(1); the object grows by 8 bytes when it moves
 */
TN_API uint64_t tn_gc_hash(tn_mutator *m, tn_ref object);

/* The type of an object.  Pure; threads: any that may use it. */
TN_API const tn_type *tn_gc_type_of(tn_ref object);

/* Bytes of an object without its header.  Threads: any that may use it. */
TN_API size_t tn_gc_size_of(tn_ref object);

/* Account for memory outside of the heap that objects keep alive: it counts
 * against the limit as if it were inside.
 *
 *   delta   bytes; negative when it was freed
 *   threads the owner of m
 *   cost    O(1)
 */
TN_API void tn_gc_external(tn_mutator *m, ptrdiff_t delta);

/* ---- Collecting and asking ------------------------------------------------------- */

typedef enum tn_gc_kind {
  TN_GC_MINOR,    // the young ones; on a collector without any: all
  TN_GC_FULL,     // all
  TN_GC_COMPACT,  // all, and move what can be to leave no holes
} tn_gc_kind;

/* Collect now.
 *
 *   threads the owner of m; stops the others
 *   cost    O(live)
 */
TN_API void tn_gc_collect(tn_mutator *m, tn_gc_kind kind);

/* name, text; every one is a uint64_t */
#define TN_GC_STATS_TABLE(X)                                                   \
  X(minor_collections, "collections of the young only")                        \
  X(full_collections, "collections of everything")                             \
  X(compactions, "of those, with evacuation")                                  \
  X(emergencies, "collections because memory had run out")                     \
  X(pause_ns, "sum of pauses")                                                 \
  X(longest_pause_ns, "longest pause")                                         \
  X(allocated_bytes, "handed to mutators, in pieces")                          \
  X(traced_objects, "objects whose fields were read")                          \
  X(traced_bytes, "bytes of those objects")                                    \
  X(copied_objects, "objects moved")                                           \
  X(copied_bytes, "bytes moved")                                               \
  X(promoted_objects, "young objects that became old")                         \
  X(pinned_objects, "objects that could have moved and were held")             \
  X(evacuated_objects, "old objects moved out of their blocks")                \
  X(logged_writes, "writes that took the slow path")                           \
  X(weak_cleared, "weak references and ephemerons cleared")                    \
  X(finalizers_queued, "finalizers that became due")                           \
  X(live_bytes, "found alive by the last full collection, with headers")       \
  X(heap_bytes, "in use now: blocks, large objects, external")                 \
  X(peak_bytes, "most of that")                                                \
  X(limit_bytes, "collect before more than this")                              \
  X(metadata_bytes, "tables beside the heap, reserved for use now")            \
  X(nursery_bytes, "gen: size of the nursery now")                             \
  X(swept_blocks, "blocks swept at allocation")                                \
  X(worklist_overflows, "marking went on by a walk over the heap")

typedef struct tn_gc_stats {
#define TNI_GC_STAT(name, text) uint64_t name;
  TN_GC_STATS_TABLE(TNI_GC_STAT)
#undef TNI_GC_STAT
  unsigned workers;                        // how many
  uint64_t worker_objects[TN_GC_WORKERS];  // objects that each traced
} tn_gc_stats;

/* What the heap has done so far.  Threads: any.  O(1), a lock. */
TN_API void tn_gc_get_stats(tn_gc *heap, tn_gc_stats *out);

/* Sees an object during a walk; false ends the walk. */
typedef bool tn_walk_fn(void *argument, tn_ref object);

/* Call fn for every object that may be alive: found so by the last collection,
 * or allocated since.  fn must not allocate, write or collect.
 *
 *   threads the owner of m; stops the others
 *   cost    O(heap)
 */
TN_API void tn_gc_walk(tn_mutator *m, tn_walk_fn *fn, void *argument);

/* Check everything that can be reached: every reference names an object, and
 * young objects in old ones are remembered.
 *
 *   returns how many references are wrong; the first goes to standard error in
 *           one line that says which field of which type it is in
 *   threads the owner of m; stops the others
 *   cost    O(live)
 */
TN_API size_t tn_gc_verify(tn_mutator *m);

TN_END_DECLS
#endif
