/* arena.h -- memory for a phase: allocated piece by piece, released at once
 *
 * A request, a frame, a compile unit: many blocks, one end.  An arena grows
 * without moving, in reserved address space, or in chunks from any provider;
 * marks release what came after them; children and cleanups go with it.
 * Blocks are not freed singly, but for the last one: see pool.h and heap.h.
 *
 *     reserved   low | block | block | .. room .. | end      | size
 *     in chunks  chunk | block ... <- chunk | block | .. room .. | end
 *                                                   cursor = end - room
 *
 * Memory between end and size is there, but has not been touched: end is moved
 * in steps, so that a reset knows how far the phase went at most.
 *
 * Invariants
 *   [arena.room]    room <= end - low, both multiples of TN_ALIGN.  It is kept
 *                   as -1 - room, so that adding a size carries exactly when
 *                   it does not fit, and end as end + 1.
 *   [arena.still]   a block never moves.
 *   [arena.zero]    with `zero`, all bytes from the cursor on are 0.
 *   [arena.quiet]   while quiet is a mark's serial, going back to it is to set
 *                   gone: no chunk, no cleanup and no child came between.
 *   [arena.same]    a request that cannot be served has changed nothing.
 * Contracts
 *   [arena.align]   an alignment is a power of two.
 *   [arena.full]    tn_arena_push wants memory; tn_arena_try for a value.
 *   [arena.mark]    a mark is of this arena, and what it marks still there.
 *   [arena.child]   a rewind leaves no live child above it.
 *   [arena.owner]   only the owning thread uses an arena.
 *   [arena.last]    what is resized or freed is a block of this arena.
 *   [arena.options]  options make sense together.
 * Threads   one owner at a time, no lock; tn_arena_hand_over between two.
 * Failure   tn_arena_push: one line and SIGABRT.  tn_arena_try: NULL.
 * Cost      push 7 instructions; a temporary scope 6; no system call but where
 *           memory comes or goes.
 * Source    marks and scratch arenas as in the RAD debugger's, trees as in APR
 *           and talloc; counting room up to -1 instead of comparing a limit
 *           is ours: one addition is bounds check and overflow check.
 * Design    doc/design/arena.md      Tests  test/arena/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_ARENA_H
#define TENURE_ARENA_H

#include <stdarg.h>

#include <tenure/provider.h>
#include <tenure/scope.h>

TN_BEGIN_DECLS

typedef struct tn_arena tn_arena;
struct tn_arena {
  size_t gone;                // owner: -1 - room; see [arena.room]
  unsigned char *top;         // owner: end + 1
  uint64_t quiet;             // owner: cleanups.serial; 0 with `zero`
  tn_scope cleanups;          // owner: its serial rises whenever end moves, too
  tn_provider provider;       // const: this arena as one
  unsigned char *low;         // owner: first byte for blocks in this chunk
  struct tni_region *region;  // const: NULL when in chunks
  struct tni_arena_chunk *chunk;   // owner: the current one, or NULL
  struct tni_arena_chunk *spares;  // owner: chunks for later
  tn_provider *source;             // const: of chunks; NULL: none
  size_t next_chunk;               // owner: bytes to ask for next
  size_t held;                     // owner: bytes of all chunks
  size_t deep;                     // owner: most bytes since the last reset
  size_t peak;                     // owner: most bytes ever
  size_t resets;                   // owner
  size_t decay_high;               // owner: of the chunks; see vm/decay.h
  size_t decay_resident;           // owner
  tn_arena *parent;                // const
  tn_cleanup in_parent;            // the parent's
  const char *name;                // const: for messages; NULL: none
  unsigned owner;                  // owner: thread id; 0: being handed over
  bool zero;                       // const
  bool is_ending;                  // owner: children may go
};

typedef struct tn_arena_options {
  const char *name;       // for messages: text that outlives the arena
  tn_arena *parent;       // is destroyed when that is reset or destroyed
  size_t size;            // bytes to reserve; 0: as much as there may be memory
  tn_commit commit;       // how reserved memory comes
  bool avoid_huge;        // no huge pages, although there is room for them
  tn_provider *provider;  // take chunks from it instead of address space
  size_t chunk;           // bytes of the first one; 0: 4 KiB; they double
  void *buffer;           // the first chunk: memory of the caller's, which
  size_t buffer_size;     // outlives the arena; bytes
  bool zero;              // every block is zero; releasing pays for it
} tn_arena_options;

/* A place in an arena. */
typedef struct tn_arena_mark {
  size_t gone;         // const
  unsigned char *top;  // const
  uint64_t serial;     // const: of the arena when it was made
} tn_arena_mark;

typedef struct tn_arena_stats {
  size_t used;    // bytes of live blocks and what alignment took
  size_t held;    // bytes that may be resident: all chunks, or as far as the
                  // arena went since it last gave memory back
  size_t peak;    // most that used can have been, to the end of a step
  size_t chunks;  // in use and spare; 1 in reserved space
  size_t resets;  // so far
} tn_arena_stats;

/* ---- Life ----------------------------------------------------------------- */

/* Make an arena.
 *
 *   out     stays where it is until it is destroyed
 *   options NULL for reserved address space that the budget of the process
 *           bounds, committed on touch, with huge pages after the first 2 MiB;
 *           or for chunks of the process's source, if it has one
 *   returns TN_OK; TN_ENOMEM, TN_ERANGE; TN_EINVAL  [arena.options]
 *   errors  out is written only when TN_OK is returned
 *   threads any; the caller becomes the owner
 *   cost    a few system calls; none in chunks
 */
TN_API tn_status tn_arena_create(tn_arena *out,
                                 const tn_arena_options *options);

/* Run its cleanups, destroy its children, and give all memory back.
 *
 *   threads the owner
 *   cost    a few system calls, or a provider's free a chunk
 */
TN_API void tn_arena_destroy(tn_arena *a);

/* Release everything, children and cleanups included.  Memory is kept for the
 * next phase, up to a high-water mark that decays by an eighth a reset.
 *
 *   threads the owner
 *   cost    some instructions and what the cleanups cost; rarely a system call
 */
TN_API void tn_arena_reset(tn_arena *a);

/* Give back now what no live block needs.
 *
 *   threads the owner
 *   cost    a system call, or a provider's free a spare chunk
 */
TN_API void tn_arena_trim(tn_arena *a);

/* Where arenas, scratch arenas too, that are created without size, provider
 * and buffer take their memory from now on, instead of address space.
 *
 *   source  for any thread to use (TN_PROVIDER_THREADS) if several do;
 *           outlives these arenas; NULL: address space again
 *   threads any
 *   cost    a store
 */
TN_API void tn_arena_set_source(tn_provider *source);

/* ---- What inline functions call -------------------------------------------- */

/* size bytes aligned to align; NULL, or a line, when they cannot be had. */
TN_API TN_COLD void *tni_arena_refill(tn_arena *a, size_t size, size_t align,
                                      bool must);
/* The same with all that a debug build does. */
TN_API void *tni_arena_push_tracked(tn_arena *a, size_t size, size_t align,
                                    bool must);
/* The words of a mark one by one: as a struct it would go through memory, also
 * where nothing is called. */
TN_API TN_COLD void tni_arena_rewind(tn_arena *a, size_t gone,
                                     unsigned char *top, uint64_t serial);
TN_API bool tni_arena_has_mark(const tn_arena *a, tn_arena_mark mark);

/* ---- Blocks ----------------------------------------------------------------- */

/* Where the next block goes, before it is aligned further. */
TN_INLINE unsigned char *
tni_arena_cursor(const tn_arena *a)
{
  return a->top + (ptrdiff_t)a->gone;
}

/* size bytes, and those up to the next multiple of TN_ALIGN, if there is room:
 * then the sum does not carry. */
TN_INLINE void *
tni_arena_push(tn_arena *a, size_t size, bool must)
{
  const size_t before = a->gone;
  size_t gone;
  if (TN_DEBUG >= 1)
    return tni_arena_push_tracked(a, size, TN_ALIGN, must);
  if (TN_UNLIKELY(__builtin_add_overflow(before, size, &gone)))
    return tni_arena_refill(a, size, TN_ALIGN, must);
  a->gone = gone | (TN_ALIGN - 1);
  return a->top + (ptrdiff_t)before;
}

TN_INLINE void *
tni_arena_push_aligned(tn_arena *a, size_t size, size_t align, bool must)
{
  TN_REQUIRE(tn_is_power_of_two(align), "arena.align",
             "alignment is not a power of two");
  const size_t to = align < TN_ALIGN ? TN_ALIGN : align;
  if (TN_DEBUG >= 1)
    return tni_arena_push_tracked(a, size, to, must);
  unsigned char *const p = tni_arena_cursor(a);
  const size_t skip = -(uintptr_t)p & (to - 1);
  size_t need, gone;
  if (TN_UNLIKELY(__builtin_add_overflow(size, skip, &need) ||
                  __builtin_add_overflow(a->gone, need, &gone)))
    return tni_arena_refill(a, size, to, must);
  a->gone = gone | (TN_ALIGN - 1);
  return p + skip;
}

/* Allocate size bytes, aligned to TN_ALIGN.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   returns the block; zero with `zero`; never NULL
 *   errors  nothing left: one line and SIGABRT  [arena.full]
 *   threads the owner
 *   cost    7 instructions; now and then a step of growth
 */
TN_INLINE void *
tn_arena_push(tn_arena *a, size_t size)
{
  return tni_arena_push(a, size, true);
}

/* The same, or NULL when nothing is left; then a is exactly as it was.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   threads the owner
 *   cost    as tn_arena_push
 */
TN_INLINE void *
tn_arena_try(tn_arena *a, size_t size)
{
  return tni_arena_push(a, size, false);
}

/* Allocate with an alignment of the caller's choice.
 *
 *   size    bytes
 *   align   a power of two; less than TN_ALIGN counts as TN_ALIGN
 *   returns as tn_arena_push
 *   errors  [arena.align]; unchecked, the block is somewhere in the arena
 *   threads the owner
 *   cost    a few instructions more than tn_arena_push
 */
TN_INLINE void *
tn_arena_push_aligned(tn_arena *a, size_t size, size_t align)
{
  return tni_arena_push_aligned(a, size, align, true);
}

/* The same, or NULL when nothing is left; then a is exactly as it was.
 *
 *   size    bytes
 *   align   as for tn_arena_push_aligned
 *   threads the owner
 *   cost    as tn_arena_push_aligned
 */
TN_INLINE void *
tn_arena_try_aligned(tn_arena *a, size_t size, size_t align)
{
  return tni_arena_push_aligned(a, size, align, false);
}

/* Allocate size bytes and set them to 0, unless they are.
 *
 *   size    bytes
 *   returns as tn_arena_push
 *   threads the owner
 *   cost    as tn_arena_push, and a memset without `zero`
 */
TN_INLINE void *
tn_arena_push_zero(tn_arena *a, size_t size)
{
  void *const p = tn_arena_push(a, size);
  return a->zero ? p : __builtin_memset(p, 0, size);
}

/* count things of size bytes; what overflows is more than there is. */
TN_INLINE void *
tni_arena_push_array(tn_arena *a, size_t count, size_t size, size_t align)
{
  size_t bytes;
  if (!tn_size_mul(count, size, &bytes))
    bytes = SIZE_MAX;
  if (align <= TN_ALIGN)
    return tn_arena_push(a, bytes);
  return tn_arena_push_aligned(a, bytes, align);
}

/* A new T in arena a, not initialised: T *.  Never NULL. */
#define TN_ARENA_NEW(a, T)                                                     \
  ((T *)tni_arena_push_array(a, 1, sizeof(T), __alignof__(T)))

/* count new Ts side by side, not initialised: T *.  Never NULL; more than fits
 * in memory is [arena.full]. */
#define TN_ARENA_ARRAY(a, T, count)                                            \
  ((T *)tni_arena_push_array(a, count, sizeof(T), __alignof__(T)))

/* Give the last block another size where it is, or any block a smaller one.
 * A mark made after the block does not outlive this.
 *
 *   p, size   a block, and the size it was asked or last resized with
 *   new_size  bytes
 *   returns false when p is not the last block, was of 0 bytes, or there is no
 *           room: nothing has changed
 *   errors  [arena.last]
 *   threads the owner
 *   cost    some 20 instructions; now and then a step of growth
 */
TN_API bool tn_arena_resize(tn_arena *a, void *p, size_t size, size_t new_size);

/* Give the last block back; any other stays until the arena goes below it.
 * A mark made after the block does not outlive this.
 *
 *   p, size as for tn_arena_resize
 *   errors  [arena.last]
 *   threads the owner
 *   cost    some 20 instructions
 */
TN_API void tn_arena_free(tn_arena *a, void *p, size_t size);

/* ---- Marks and temporary scopes ----------------------------------------------- */

/* Remember this place.
 *
 *   returns the mark, for any number of rewinds
 *   threads the owner
 *   cost    3 instructions
 */
TN_INLINE tn_arena_mark
tn_arena_get_mark(const tn_arena *a)
{
  const tn_arena_mark mark = {a->gone, a->top, a->cleanups.serial};
  return mark;
}

/* Release everything since the mark; cleanups registered since run.
 *
 *   mark    of this arena, and not above where it is now
 *   errors  [arena.mark], [arena.child]; unchecked, a mark that is not of this
 *           arena changes nothing, and a child above it is destroyed
 *   threads the owner
 *   cost    3 instructions; more when chunks, cleanups or `zero` are concerned
 */
TN_INLINE void
tn_arena_rewind(tn_arena *a, tn_arena_mark mark)
{
  TN_REQUIRE(tni_arena_has_mark(a, mark), "arena.mark",
             "an arena is rewound to a mark of another, or to one that an "
             "earlier rewind went below");
  if (TN_DEBUG >= 1 || TN_UNLIKELY(a->quiet != mark.serial))
    tni_arena_rewind(a, mark.gone, mark.top, mark.serial);
  else
    a->gone = mark.gone;
}

typedef struct tni_arena_temp {
  tn_arena *arena;
  tn_arena_mark mark;
  bool is_first;
} tni_arena_temp;

TN_INLINE tni_arena_temp
tni_arena_temp_begin(tn_arena *a)
{
  const tni_arena_temp temp = {a, tn_arena_get_mark(a), true};
  return temp;
}

TN_INLINE void
tni_arena_temp_end(const tni_arena_temp *temp)
{
  tn_arena_rewind(temp->arena, temp->mark);
}

/* What the statement that follows allocates in a is released when it ends, by
 * whichever way but longjmp.
 *
 *     TN_WITH_TEMP(a) {
 *       char *const path = tn_arena_printf(a, "%s/%s", folder, name);
 *       ...
 *     }
 */
#define TN_WITH_TEMP(a)                                                        \
  TNI_WITH_TEMP(TNI_SCOPE_PASTE(tni_temp_, __COUNTER__), a)
#define TNI_WITH_TEMP(name, a)                                                 \
  for (tni_arena_temp name                                                     \
       __attribute__((cleanup(tni_arena_temp_end))) = tni_arena_temp_begin(a); \
       name.is_first; name.is_first = false)

/* The same for the rest of the block it stands in. */
#define TN_TEMP(a) TNI_TEMP(TNI_SCOPE_PASTE(tni_temp_, __COUNTER__), a)
#define TNI_TEMP(name, a)                                                      \
  const tni_arena_temp name                                                    \
      __attribute__((cleanup(tni_arena_temp_end), unused)) =                   \
          tni_arena_temp_begin(a)

/* Release everything since the mark but a result, which moves to the mark: a
 * function's answer without its temporaries.
 *
 *   mark    as for tn_arena_rewind
 *   p, size a block that was allocated since, or a part of one
 *   returns where it is now; a has grown by size since the mark
 *   errors  as tn_arena_rewind
 *   threads the owner
 *   cost    a memmove
 */
TN_API void *tn_arena_keep(tn_arena *a, tn_arena_mark mark, const void *p,
                           size_t size);

/* ---- What goes with it ----------------------------------------------------------- */

/* Call run(argument) when the arena goes below this place, the newest first.
 *
 *   returns the registration, for tn_scope_cancel(&a->cleanups, it)
 *   errors  as tn_arena_push
 *   threads the owner
 *   cost    a push and some stores
 */
TN_API tn_cleanup *tn_arena_defer(tn_arena *a, tn_cleanup_fn *run,
                                  void *argument);

/* The same, or NULL when nothing is left: nothing is registered then, and what
 * was acquired is still the caller's to undo.
 *
 *   threads the owner
 *   cost    as tn_arena_defer
 */
TN_API TN_NODISCARD tn_cleanup *
tn_arena_try_defer(tn_arena *a, tn_cleanup_fn *run, void *argument);

/* Let go of an arena, so that another thread can take it over.  The two must
 * synchronise, as for any memory.
 *
 *   threads the owner; afterwards nobody is
 *   cost    a store
 */
TN_API void tn_arena_hand_over(tn_arena *a);

/* Become the owner of an arena that was let go of.
 *
 *   errors  [arena.owner] somebody owns it
 *   threads any
 *   cost    a store
 */
TN_API void tn_arena_adopt(tn_arena *a);

/* What it holds and held.
 *
 *   threads the owner
 *   cost    O(chunks)
 */
TN_API tn_arena_stats tn_arena_get_stats(const tn_arena *a);

/* Offer a where any allocator is taken.  Blocks go when the arena does; the
 * last one can be resized in place: a TN_ARRAY at an arena's end never moves.
 *
 *   returns a's provider, as long as a lives
 *   threads pure
 *   cost    nothing
 */
TN_INLINE tn_provider *
tn_arena_provider(tn_arena *a)
{
  return &a->provider;
}

/* ---- Text ---------------------------------------------------------------------- */

/* Copy bytes into the arena.
 *
 *   from    may be NULL when size is 0
 *   size    bytes
 *   returns the copy
 *   errors  as tn_arena_push
 *   threads the owner
 *   cost    a push and a memcpy
 */
TN_API void *tn_arena_copy(tn_arena *a, const void *from, size_t size);

/* Copy a text, ended by a NUL.
 *
 *   text    ended by a NUL
 *   returns the copy
 *   errors  as tn_arena_push
 *   threads the owner
 *   cost    a strlen, a push, a memcpy
 */
TN_API char *tn_arena_text(tn_arena *a, const char *text);

/* Copy the first size bytes of a text, and end them by a NUL.
 *
 *   errors  as tn_arena_push
 *   threads the owner
 *   cost    a push and a memcpy
 */
TN_API char *tn_arena_text_part(tn_arena *a, const char *text, size_t size);

/* Format a text into the arena, ended by a NUL.
 *
 *   returns the text; NULL when printf itself fails (a wrong wide character)
 *   errors  as tn_arena_push
 *   threads the owner
 *   cost    some 150 instructions, and some 30 a conversion, where the format has
 *           only %s %c %d %i %u %x %%, with l, ll or z, and the text fits in the
 *           room left; else one vsnprintf, or two when it does not fit
 */
TN_API char *tn_arena_printf(tn_arena *a, const char *format, ...)
    TN_PRINTF(2, 3);

/* The same with the arguments in a va_list.
 *
 *   errors  as tn_arena_push
 *   threads the owner
 *   cost    as tn_arena_printf
 */
TN_API char *tn_arena_vprintf(tn_arena *a, const char *format, va_list args)
    TN_PRINTF(2, 0);

TN_END_DECLS
#endif
