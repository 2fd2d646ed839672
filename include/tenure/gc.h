/* gc.h -- objects that live as long as they can be reached
 *
 * One mutator API, several collectors, chosen when the heap is created.  An
 * object is a header of eight bytes and what its type says; a tn_ref names its
 * first byte after the header.  Collectors may move objects: a tn_ref in a
 * root or in an object is kept up to date, one in a plain C variable is not
 * (unless the heap scans stacks, see tn_gc_options).
 *
 *      | flags, logged | type |  fixed part ...  | elements ...      |
 *      '--- 8 bytes ----------'^-- tn_ref.at, aligned to 8 -----------'
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
 *   [gc.thread]   a mutator is used by the thread that attached it.
 *   [gc.size]     sizes and counts given are in range.
 *   [gc.map]      the references of a type lie within it, and are told once.
 *   [gc.block]    blocking regions do not nest, and nothing of the heap is used
 *                 in one.
 *   [gc.handle]   a handle is removed once.
 *   [gc.coroutine]  a switch names stacks that the heap knows.
 *   [gc.attached]  a heap is destroyed when no thread is attached.
 *   [gc.frames]   a thread is detached outside of the blocks of its TN_ROOTS.
 *   [gc.finalizer]  a finalizer does not call tn_gc_collect.
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

#include <tenure/base.h>

TN_BEGIN_DECLS

/* ---- Words ----------------------------------------------------------------- */

/* A reference to an object of a heap, or to nothing. */
typedef struct tn_ref {
  void *at;  // the object's first byte after its header; NULL for none
} tn_ref;

#ifdef __cplusplus
#define TN_REF_NULL (tn_ref{NULL})
#else
#define TN_REF_NULL ((tn_ref){NULL})
#endif

/* The object as a pointer to its C type, valid until the next point where a
 * collection may run.  Pure, threads: any. */
#define TN_AT(type, ref) ((type *)(ref).at)

typedef struct tn_gc tn_gc;
typedef struct tn_tracer tn_tracer;
typedef struct tn_gc_frame tn_gc_frame;

/* The facts that inline paths rely on; src/gc/core/object.h checks them. */
#define TN_GC_HEADER  ((size_t)8)     // bytes before an object
#define TN_GC_GRANULE ((size_t)8)     // objects are multiples of it
#define TN_GC_LARGE   ((size_t)8192)  // bytes with header; more is a large object

/* A thread's part of a heap.  The fields are for the inline functions below. */
typedef struct tn_mutator {
  unsigned char *cursor;  // owner: the next object, after its header
  unsigned char *limit;   // owner: cursor may grow to here
  tn_gc_frame *frames;    // owner: innermost frame of roots
  uint32_t poll;          // atomic: not 0 asks for tn_gc_safepoint
  unsigned thread;        // const: tn_gc_attach was called on it
} tn_mutator;

/* What the collector knows of a kind of objects; made by tn_gc_type. */
typedef struct tn_type {
  size_t size;       // const: bytes of the fixed part
  const char *name;  // const
} tn_type;

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

/* ---- Threads --------------------------------------------------------------- */

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
 * end writes to m.
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

/* ---- Types ----------------------------------------------------------------- */

/* Reports the references in an object: calls tn_gc_trace on each place. */
typedef void tn_trace_fn(void *object, tn_tracer *tracer);

/* A kind of objects: a fixed part and, when element_size is not 0, any number
 * of elements behind it, counted by a size_t at count_offset of the fixed part.
 * A type that names no reference is a leaf: the collector never reads it. */
typedef struct tn_type_spec {
  const char *name;         // for messages; kept by pointer
  size_t size;              // bytes of the fixed part, sizeof of the struct
  uint64_t map;             // bit i: word i of the fixed part is a tn_ref
  const uint32_t *offsets;  // or: byte offsets of the references
  size_t offset_count;
  size_t element_size;   // bytes, a multiple of 8 when it has references
  size_t count_offset;   // where the size_t is
  uint64_t element_map;  // bit i: word i of an element is a tn_ref
  uint64_t ambiguous;    // bit i: word i of the fixed part may be a reference
  tn_trace_fn *trace;    // or: a function; then no maps
} tn_type_spec;

/* Make a type.
 *
 *   spec    copied; name is kept by pointer
 *   status  receives why not; may be NULL
 *   returns the type, which lives as long as heap; NULL with TN_EINVAL (a map
 *           beyond the size, two ways at once), TN_ENOMEM, TN_ENOTSUP
 *           (ambiguous fields in a collector that moves everything: one line)
 *   threads any
 *   cost    O(offset_count)
 */
TN_API const tn_type *tn_gc_type(tn_gc *heap, const tn_type_spec *spec,
                                 tn_status *status);

/* Report a place of the object that a trace function was called with.
 *
 *   slot    a reference in it
 *   threads the one that called the trace function
 *   cost    O(1)
 */
TN_API void tn_gc_trace(tn_tracer *tracer, tn_ref *slot);

/* Declare a struct and a function name_type(heap, status) from one list:
 *
 *   #define NODE(REF, VALUE, T) REF(T, left) REF(T, right) VALUE(T, int, key)
 *   TN_GC_STRUCT(node, NODE)
 *
 * Threads: any. */
#define TN_GC_STRUCT(tag, FIELDS)                                              \
  struct tag {                                                                 \
    FIELDS(TNI_GC_FIELD_REF, TNI_GC_FIELD_VALUE, tag)                          \
  };                                                                           \
  static inline __attribute__((unused))                                        \
  const tn_type *tag##_type(tn_gc *tni_heap, tn_status *tni_status)            \
  {                                                                            \
    static const uint32_t tni_offsets[] = {                                    \
        FIELDS(TNI_GC_OFFSET_REF, TNI_GC_OFFSET_VALUE, tag) UINT32_MAX};       \
    const tn_type_spec tni_spec = {                                            \
        .name = #tag,                                                          \
        .size = sizeof(struct tag),                                            \
        .offsets = tni_offsets,                                                \
        .offset_count = sizeof tni_offsets / sizeof tni_offsets[0] - 1,        \
    };                                                                         \
    return tn_gc_type(tni_heap, &tni_spec, tni_status);                        \
  }                                                                            \
  struct tag

#define TNI_GC_FIELD_REF(tag, name)         tn_ref name;
#define TNI_GC_FIELD_VALUE(tag, type, name) type name;
#define TNI_GC_OFFSET_REF(tag, name)        (uint32_t) offsetof(struct tag, name),
#define TNI_GC_OFFSET_VALUE(tag, type, name)

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

/* ---- Objects ----------------------------------------------------------------- */

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

/* ---- Weak references, ephemerons, finalizers ------------------------------------ */

/* An object that names target without keeping it alive.
 *
 *   returns TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    an allocation
 */
TN_API tn_ref tn_gc_weak(tn_mutator *m, tn_ref target);

/* The target of a weak reference; TN_REF_NULL once it was found dead.  Threads:
 * any that may use objects. */
TN_API tn_ref tn_gc_weak_get(tn_ref weak);

/* An object that keeps value alive while it is itself alive and key is.
 *
 *   key     not TN_REF_NULL
 *   returns TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    an allocation
 */
TN_API tn_ref tn_gc_ephemeron(tn_mutator *m, tn_ref key, tn_ref value);

/* The key, and the value, of an ephemeron; TN_REF_NULL once the key was found
 * dead.  Threads: any that may use objects. */
TN_API tn_ref tn_gc_ephemeron_key(tn_ref ephemeron);

/* See tn_gc_ephemeron_key.  Threads: any that may use objects. */
TN_API tn_ref tn_gc_ephemeron_value(tn_ref ephemeron);

/* What a finalizer does with its key; not 0 stops tn_gc_finalize. */
typedef int tn_finalizer_fn(void *key);

/* Have fn(key) called by tn_gc_finalize after object is found dead.  It never
 * sees the object: key says what there is to do.  Dependents come first: when
 * two die together and one can reach the other, that one's finalizer runs
 * first.  Objects of a cycle come in the order of a walk through it.
 *
 *   returns TN_OK; TN_ENOMEM
 *   threads the owner of m
 *   cost    O(1), a lock
 */
TN_API tn_status tn_gc_finalizer(tn_mutator *m, tn_ref object,
                                 tn_finalizer_fn *fn, void *key);

/* Run finalizers that are due, each once.
 *
 *   most    how many at most
 *   error   receives what the one that stopped it returned, or 0; may be NULL
 *   returns how many ran
 *   threads the owner of m; the finalizers run here
 *   cost    theirs
 */
TN_API size_t tn_gc_finalize(tn_mutator *m, size_t most, int *error);

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
