/* core.h -- the door of gc/core: a heap, its mutators, what a collector is
 *
 * The core owns threads, roots, types, the limit, weak references, finalizers
 * and the order of a collection.  A collector (struct tni_collector) owns where
 * objects lie and how the dead are found; it is a table of functions over the
 * policies of gc/space.
 *
 *   mutators run --stop--> collect: roots, trace, weak, finalizers --> run
 *
 * Invariants
 *   [gc.world]    what a heap shares is changed with its lock held; during a
 *                 collection the collecting thread holds it and no other
 *                 mutator runs.
 *   [gc.limit]    blocks, large objects and external memory in use are at most
 *                 limit, and limit at most heap_size, except for external
 *                 memory and what a collection needs for copies.
 * Threads   as said at each field.
 * Design    doc/design/gc.md      Tests  test/gc/, test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_CORE_H
#define TNI_GC_CORE_H

#include <tenure/gc.h>

#include "base/base.h"
#include "gc/core/blocks.h"
#include "gc/core/object.h"
#include "gc/core/registers.h"
#include "gc/core/trace.h"
#include "gc/core/work.h"
#include "os/os.h"

/* A list of plain words in records of ours, for buffers and tables. */
typedef struct tni_vector {
  void **at;  // owner
  size_t count;
  size_t room;
} tni_vector;

bool tni_vector_push(tni_vector *vector, const void *item);
void tni_vector_free(tni_vector *vector);

typedef enum tni_state { TNI_RUNNING, TNI_BLOCKED } tni_state;

/* What the heap knows of a stack. */
struct tn_coroutine {
  const void *low;          // const
  const void *high;         // const
  const void *top;          // while suspended: its lowest word in use
  tn_gc_frame *frames;      // while suspended
  bool is_running;          // lock: heap
  tni_registers registers;  // while suspended
  tn_coroutine *next;       // lock: heap
};

#define TNI_TLS_RANGES 16u

typedef struct tni_range {
  const void *low;
  const void *high;
} tni_range;

typedef struct tni_mutator {
  tn_mutator public;         // first: what the user has
  tn_gc *heap;               // const
  struct tni_mutator *next;  // lock: heap
  unsigned char *start;      // owner: where the current piece begins
  unsigned char *end;        // owner: the current piece's real end
  void *local;               // owner: the collector's
  tni_vector logged;         // owner: objects that were written to
  tni_vector cards;          // owner: starts of cards that were
  tni_state state;           // lock: heap
  const void *stack_base;    // owner: one past the highest byte
  const void *stack_top;     // while stopped
  tni_registers registers;   // while stopped
  tn_coroutine *coroutine;   // owner: what runs; NULL on the thread's stack
  tn_coroutine own;          // its own stack, while a coroutine runs
  tni_range tls[TNI_TLS_RANGES];  // owner: its thread-local variables
  size_t tls_count;
  bool is_finalizing;  // owner
} tni_mutator;
_Static_assert(offsetof(tni_mutator, public) == 0, "a tn_mutator comes first");

/* A collector.  All functions run with the heap's lock held; those from
 * collect on in a stopped world, or from a walk in one. */
typedef struct tni_collector {
  const char *name;
  bool moves_everything;  // nothing can be held in place
  bool has_young;         // minor collections are cheaper than full ones
  size_t state_size;      // of heap->state, zeroed
  tn_status (*create)(tn_gc *heap);
  void (*destroy)(tn_gc *heap);
  bool (*attach)(tni_mutator *m);  // may be NULL
  void (*detach)(tni_mutator *m);  // may be NULL
  /* Memory for an object of bytes (with header, at most TN_GC_LARGE), zero;
   * NULL: a collection is due. */
  void *(*allocate)(tni_mutator *m, size_t bytes);
  /* The same from what is m's own already, without the lock; may be NULL. */
  void *(*allocate_own)(tni_mutator *m, size_t bytes);
  void *(*allocate_large)(tni_mutator *m, size_t bytes);
  /* Give the current piece of m back: its objects can be found. */
  void (*retire)(tni_mutator *m);
  void (*collect)(tn_gc *heap, tn_gc_kind kind);
  /* During a collection, after tracing: has *ref been reached?  Then *ref is
   * where it is now. */
  bool (*is_live)(tn_gc *heap, tn_ref *ref);
  /* The object that word points into, NULL when there is none. */
  void *(*resolve)(tn_gc *heap, uintptr_t word);
  bool (*walk)(tn_gc *heap, tn_walk_fn *fn, void *argument);
  /* A write to an object whose logged byte is TNI_LOG_SLOTS; NULL when there
   * are none. */
  void (*log_slot)(tni_mutator *m, void *slot);
  /* Will the next minor collection look at object; NULL: there are none. */
  bool (*is_young)(tn_gc *heap, void *object);
} tni_collector;

/* One finalizer: in a list of those that wait, or of those that are due. */
typedef struct tni_final {
  tn_ref object;
  tn_finalizer_fn *fn;
  void *key;
  size_t next;  // the next of the same object, plus 1; while being ordered
} tni_final;

typedef struct tni_finals {
  tni_final *at;
  size_t first;  // due: the next to run; waiting: the first young object's
  size_t count;
  size_t room;
} tni_finals;

typedef struct tni_handles tni_handles;
typedef struct tni_workers tni_workers;

struct tn_gc {
  const tni_collector *collector;  // const
  void *state;                     // the collector's
  void *spaces;                    // the large objects' (gc/space/large.h)
  tn_gc_options options;           // const
  tni_os_lock lock;
  tni_blocks blocks;     // lock
  tni_pool pool;         // chunks of work lists
  tni_workers *workers;  // NULL: none but the collecting thread

  /* The world; lock. */
  tni_mutator *mutators;
  unsigned running;  // mutators in state TNI_RUNNING
  bool is_stopping;
  bool is_collecting;
  _Atomic uint32_t stopped_word;  // bumped when running falls
  _Atomic uint32_t restart_word;  // bumped when the world goes on

  /* Roots; lock. */
  tni_handles *handles;
  tn_ref *free_handles;
  tni_vector roots;   // pairs: first, one past the last
  tni_vector ranges;  // pairs: low, high
  tni_vector pins;    // objects, once for each pin
  tn_coroutine *coroutines;
  bool scans_globals;

  /* Types; lock. */
  tni_type *types;
  const tn_type *weak_type;
  const tn_type *ephemeron_type;
  bool has_ambiguous_fields;

  /* Weak references and finalizers; lock. */
  void *weak_found;  // list through the objects, this collection
  void *ephemerons_found;
  tni_os_lock weak_lock;  // reached, while workers trace
  tni_vector reached;     // keys reached meanwhile: old address, new
  bool reached_lost;      // reached could not grow
  tni_finals finals;
  tni_finals due;
  tni_finals dead;  // found in this collection

  /* Size; lock. */
  _Atomic size_t used;      // bytes of blocks and large objects
  _Atomic size_t external;  // bytes
  size_t limit;
  uint64_t allocated_at_collection;  // stats.allocated_bytes then
  uint64_t time_at_collection;
  double allocation_rate;  // bytes a nanosecond, smoothed
  double collection_rate;
  unsigned stress;          // const: of tn_gc_stress
  _Atomic unsigned holder;  // atomic: relaxed; the thread that has lock, or 0
  tn_gc_stats stats;        // lock
  _Atomic uint64_t logged_writes;  // atomic: relaxed
  _Atomic uint32_t logs_lost;      // atomic: a write could not be noted
  tni_vector logged;               // lock: of mutators that are gone
  tni_vector cards;                // lock
};

/* The functions of heap's collector; in a build for one collector
 * (TN_GC_ONLY=semi) the compiler knows them. */
#ifdef TN_GC_ONLY
#define TNI_GC_PASTE2(a, b) a##b
#define TNI_GC_PASTE(a, b)  TNI_GC_PASTE2(a, b)
extern const tni_collector TNI_GC_PASTE(tni_gc_, TN_GC_ONLY);
#define TNI_COLLECTOR(heap) (&TNI_GC_PASTE(tni_gc_, TN_GC_ONLY))
#else
#define TNI_COLLECTOR(heap) ((heap)->collector)
#endif

/* A broken contract: a line and the end, or value where checks are off. */
#define TNI_GC_REQUIRE(cond, tag, text, value)                                 \
  do {                                                                         \
    TN_REQUIRE(cond, tag, text);                                               \
    if (TN_UNLIKELY(!(cond)))                                                  \
      return value;                                                            \
  } while (0)

static inline tni_mutator *
tni_mutator_of(tn_mutator *m)
{
  return (tni_mutator *)(void *)m;
}

/* ---- collectors.c ---- */
const tni_collector *tni_gc_find_collector(const char *name);

/* ---- world.c ---- */
void tni_world_lock(tn_gc *heap);
void tni_world_unlock(tn_gc *heap);
/* With the lock held by a running mutator: stop all others.  False: another
 * stopped the world meanwhile and it has gone on; nothing is stopped. */
bool tni_world_stop(tni_mutator *m);
void tni_world_restart(tn_gc *heap);

/* ---- allocate.c ---- */
/* Where a piece of [start, end) begins for m's inline path. */
void tni_piece_set(tni_mutator *m, unsigned char *start, unsigned char *end);
/* Take bytes from the current piece; NULL when they do not fit. */
void *tni_piece_take(tni_mutator *m, size_t bytes);
/* No piece: every allocation takes the slow path.  Counts what was used. */
void tni_piece_clear(tni_mutator *m);
/* Is there room for bytes more under the limit? */
bool tni_has_room(const tn_gc *heap, size_t bytes);

/* ---- collect.c ---- */
/* A collection in a world that m stops.  False: another thread did one. */
bool tni_collect(tni_mutator *m, tn_gc_kind kind);

/* ---- roots.c ---- */
/* Visit every exact root but pins. */
void tni_roots_visit(tn_tracer *tracer, tni_visit_fn *visit);
/* The objects that ambiguous roots and pins name: each once or more. */
typedef void tni_held_fn(tn_tracer *tracer, void *object);
void tni_roots_held(tn_tracer *tracer, tni_held_fn *fn);
/* Note the registers, the top of the stack and thread-local variables of the
 * calling thread, which stays in its caller until it runs again. */
void tni_roots_save(tni_mutator *m);
/* The same into r and *top, by a function that returns to its caller first:
 * frame is its __builtin_frame_address(0). */
void tni_roots_save_caller(tni_registers *r, const void **top,
                           const void *frame);
void tni_roots_free(tn_gc *heap);
bool tni_roots_can_hold(const tn_gc *heap);

/* ---- weak.c ---- */
void tni_weak_found(tn_tracer *tracer, tn_ref *object);
/* After tracing: trace values of ephemerons whose keys were reached, with
 * drain(tracer) to finish what they add; then clear what is dead. */
void tni_weak_finish(tn_tracer *tracer, void (*drain)(tn_tracer *tracer));
/* An object with TNI_FLAG_EPH_KEY was reached; old is where it was. */
TN_COLD void tni_weak_key_reached(tn_gc *heap, void *old, void *now);
void tni_weak_free(tn_gc *heap);

/* ---- finalize.c ---- */
/* Make due what is dead; of a minor collection only young objects are. */
void tni_finals_finish(tn_tracer *tracer, bool is_minor);
void tni_finals_free(tn_gc *heap);

/* ---- type.c ---- */
bool tni_types_init(tn_gc *heap);
void tni_types_free(tn_gc *heap);
bool tni_type_is_known(const tn_gc *heap, const tni_type *type);

/* ---- sizer.c ---- */
void tni_sizer_init(tn_gc *heap);
void tni_sizer_collected(tn_gc *heap, uint64_t spent_ns);
/* Raise the limit for bytes more; false: it is as high as it may be. */
bool tni_sizer_grow(tn_gc *heap, size_t bytes);

/* ---- walk.c ---- */
/* Stop the world and make every object findable; end it. */
void tni_walk_begin(tni_mutator *m);
void tni_walk_end(tni_mutator *m);

/* ---- verify.c ---- */
/*
 *   [gc.verify]  every reference names an object, and an old object that names
 *                a young one is noted.  The first that is not is told, and
 *                stops the program when stops.
 */
size_t tni_verify(tn_gc *heap, const char *when, bool stops);

#include "gc/core/mark.h"

#endif
