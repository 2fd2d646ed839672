/* checked.h -- the bump allocator that asks before it moves
 *
 * The sister of tn_bump (bump.h) for memory without a guard: a caller's
 * buffer, a local array, memory committed step by step, WebAssembly.  A push
 * compares once; what does not fit goes on in `spill`, or is refused.
 *
 *     limit                     cursor
 *      | free ................... | live ...................|
 *
 * When a chunk is full the allocator becomes a copy of the one it spills into,
 * as a scope of it would be: so nothing has to be given back, and a local
 * chunk that overflowed costs its parent nothing.
 *
 * Invariants
 *   [checked.order]  limit <= cursor, both multiples of TN_ALIGN.
 *   [checked.value]  no function is given the address of a tn_checked on the
 *                    fast path or in a refill: it can live in registers.
 *   [checked.spill]  while a tn_checked that spills into an allocator lives,
 *                    that one is not changed.
 *   [checked.buffer]  a caller's buffer has room for one block.
 *   [checked.created]  only what tn_checked_create made is reset, destroyed.
 *   [checked.align]  an alignment is a power of two.
 *   [checked.full]   a push that nothing can serve stops the program.
 * Threads   one owner at a time; no lock.
 * Failure   tn_checked_push: one line and SIGABRT.  tn_checked_try: NULL, and
 *           the allocator is exactly as it was.
 * Cost      one compare more than tn_bump; nothing when the compiler can see
 *           that the block fits.
 * Design    doc/design/bump.md      Tests  test/bump/, test/golden/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CHECKED_H
#define TENURE_CHECKED_H

#include <tenure/base.h>
#include <tenure/provider.h>
#include <tenure/track.h>

TN_BEGIN_DECLS

typedef struct tn_bump tn_bump;

typedef struct tn_checked {
  unsigned char *cursor;  // owner
  TNI_TRACK_FIELD
  unsigned char *limit;  // owner: the lowest byte that may be handed out
  const void *spill;     // const: where to go on; the low two bits say what
                         // it is (TNI_SPILL_*); NULL: nowhere
} tn_checked;

/* What spill points to, in its two low bits. */
enum {
  TNI_SPILL_CHECKED,  // a tn_checked
  TNI_SPILL_BUMP,     // a tn_bump over a region
  TNI_SPILL_REGION,   // our own region: commit more of it
  TNI_SPILL_NAME,     // nowhere; a tni_checked_name, for the message
};

typedef struct tni_checked_name {
  const char *text;
  void *align;  // keeps the two low bits free
} tni_checked_name;

/* Where an allocator is: what a refill gets and gives.  Its words are passed
 * one by one: gcc aligns the stack of every caller for a struct of three, also
 * where nothing is refilled, which made a push with an opaque caller four times
 * as slow. */
typedef struct tni_checked_place {
  unsigned char *cursor;
  unsigned char *limit;
  const void *spill;
} tni_checked_place;

/* Find need bytes: commit more, or go on in what spill says.  The answer has
 * room for them, or the process has died with a line. */
TN_API TN_COLD tni_checked_place tni_checked_refill(unsigned char *cursor,
                                                    unsigned char *limit,
                                                    const void *spill,
                                                    size_t need);
/* The same; the answer may have no room. */
TN_API TN_COLD tni_checked_place tni_checked_try_refill(unsigned char *cursor,
                                                        unsigned char *limit,
                                                        const void *spill,
                                                        size_t need);

/* c, refilled.  By value in and out: [checked.value]. */
TN_INLINE tn_checked
tni_checked_more(tn_checked c, size_t need, bool is_try)
{
  const tni_checked_place place =
      is_try ? tni_checked_try_refill(c.cursor, c.limit, c.spill, need)
             : tni_checked_refill(c.cursor, c.limit, c.spill, need);
  c.cursor = place.cursor;
  c.limit = place.limit;
  c.spill = place.spill;
  return c;
}

/* size rounded up to TN_ALIGN; half of a 32-bit address space is more
 * than any chunk has. */
TN_INLINE size_t
tni_checked_round(uint32_t size)
{
  if (SIZE_MAX == UINT32_MAX && size > UINT32_MAX / 2)
    return SIZE_MAX / 2 & ~(size_t)(TN_ALIGN - 1);
  return ((size_t)size + TN_ALIGN - 1) & ~(size_t)(TN_ALIGN - 1);
}

TN_INLINE size_t
tni_checked_room(const tn_checked *c)
{
  return (size_t)(c->cursor - c->limit);
}

/* Bytes to skip so that a block of need bytes below cursor is aligned. */
TN_INLINE size_t
tni_checked_pad(const unsigned char *cursor, size_t need, uint32_t align)
{
  return ((uintptr_t)cursor - need) & ((uintptr_t)align - 1);
}

/* Allocate from a caller's buffer: all of it, but for what alignment costs.
 *
 *   out     the allocator, to be written
 *   buffer  stays the caller's and must outlive every block
 *   size    bytes; at least TN_ALIGN must be left once both ends are aligned
 *   threads the owner of out
 *   cost    a few instructions; nothing has to be undone
 */
TN_INLINE void
tn_checked_over(tn_checked *out, void *buffer, size_t size)
{
  unsigned char *const bytes = (unsigned char *)buffer;
  const size_t skip = -(uintptr_t)bytes & (TN_ALIGN - 1);
  const size_t whole =
      size < skip ? 0 : (size - skip) & ~(size_t)(TN_ALIGN - 1);
  TN_REQUIRE(whole > 0, "checked.buffer",
             "the buffer is too small for one block: give at least 31 bytes");
  out->limit = bytes + (whole > 0 ? skip : 0);
  out->cursor = out->limit + whole;
  out->spill = NULL;
  if (TN_DEBUG >= 1)
    tni_track_begin(out, "over a buffer", out->limit, NULL, true);
}

/* Leave the buffer to the caller again: needed only where it is used
 * otherwise while AddressSanitizer or valgrind watch a debug build, to whom
 * what scopes released is forbidden.
 *
 *   c       what tn_checked_over made; not used afterwards
 *   threads the owner of c
 *   cost    nothing in release builds
 */
TN_INLINE void
tn_checked_leave(tn_checked *c)
{
  if (TN_DEBUG >= 1)
    tni_track_leave(c);
}

typedef struct tn_checked_options {
  const char *name;  // for messages: text that lives as long as the allocator
  size_t size;       // bytes at most; 0: as much as the process may have
  bool avoid_huge;   // no huge pages, although there is room for them
  bool log;          // debug builds: say every push; scopes inherit it
} tn_checked_options;

/* Reserve address space and allocate from it, asking the system for memory a
 * step at a time: here running out is an answer, not a death.
 *
 *   options NULL for the defaults
 *   returns TN_OK; TN_ENOMEM when there is no address space
 *   errors  out is written only when TN_OK is returned
 *   threads any
 *   cost    a few system calls; the first push asks for memory
 */
TN_API tn_status tn_checked_create(tn_checked *out,
                                   const tn_checked_options *options);

/* Give all of it back.  c is what tn_checked_create made, not a scope of it,
 * and no scope of it lives; afterwards it is full and holds nothing.
 *
 *   threads the owner of c
 *   cost    a few system calls
 */
TN_API void tn_checked_destroy(tn_checked *c);

/* Release every block.  Memory is kept for the next use, up to a high-water
 * mark that decays by an eighth a reset.  c as for tn_checked_destroy.
 *
 *   threads the owner of c
 *   cost    some instructions; rarely a system call
 */
TN_API void tn_checked_reset(tn_checked *c);

/* A provider that allocates from checked, as long as that lives. */
typedef struct tn_checked_provider {
  tn_provider provider;
  tn_checked *checked;  // const
} tn_checked_provider;

/* Offer c where any allocator is taken: give &result.provider.  Blocks go when
 * c's scope does; free does nothing.
 *
 *   threads pure
 *   cost    a few instructions
 */
TN_API tn_checked_provider tn_checked_provide(tn_checked *c);

/* Allocate size bytes, aligned to TN_ALIGN.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   returns the block, not zeroed; never NULL
 *   errors  nothing left: one line and SIGABRT
 *   threads the owner of c only
 *   cost    8 instructions, one branch; a refill calls
 */
TN_INLINE void *
tn_checked_push(tn_checked *c, uint32_t size)
{
  if (TN_DEBUG >= 1)
    return tni_track_push_checked(c, size, TN_ALIGN, false);
  const size_t need = tni_checked_round(size);
  if (TN_UNLIKELY(need > tni_checked_room(c)))
    *c = tni_checked_more(*c, need, false);
  c->cursor -= need;
  return c->cursor;
}

/* The same, or NULL when nothing is left; then c is exactly as it was.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   threads the owner of c only
 *   cost    as tn_checked_push
 */
TN_INLINE void *
tn_checked_try(tn_checked *c, uint32_t size)
{
  if (TN_DEBUG >= 1)
    return tni_track_push_checked(c, size, TN_ALIGN, true);
  const size_t need = tni_checked_round(size);
  if (TN_UNLIKELY(need > tni_checked_room(c))) {
    const tn_checked next = tni_checked_more(*c, need, true);
    if (need > tni_checked_room(&next))
      return NULL;
    *c = next;
  }
  c->cursor -= need;
  return c->cursor;
}

/* By [checked.order]: bytes that a block of need bytes takes of c; SIZE_MAX: more than c has. */
TN_INLINE size_t
tni_checked_span(const tn_checked *c, size_t need, uint32_t align)
{
  const size_t pad = tni_checked_pad(c->cursor, need, align);
  return need > tni_checked_room(c) || pad > tni_checked_room(c) - need
             ? SIZE_MAX
             : need + pad;
}

/* Allocate size bytes with an alignment of the caller's choice.
 *
 *   size    bytes
 *   align   a power of two; less than TN_ALIGN counts as TN_ALIGN
 *   returns the block, not zeroed; never NULL
 *   errors  nothing left: one line and SIGABRT
 *   threads the owner of c only
 *   cost    a few instructions more than tn_checked_push
 */
TN_INLINE void *
tn_checked_push_aligned(tn_checked *c, uint32_t size, uint32_t align)
{
  TN_REQUIRE(tn_is_power_of_two(align), "checked.align",
             "alignment is not a power of two");
  if (TN_DEBUG >= 1)
    return tni_track_push_checked(c, size, align, false);
  const uint32_t to = align < TN_ALIGN ? TN_ALIGN : align;
  const size_t need = tni_checked_round(size);
  size_t span = tni_checked_span(c, need, to);
  if (TN_UNLIKELY(span == SIZE_MAX)) {
    *c = tni_checked_more(*c, need + to, false);
    span = tni_checked_span(c, need, to);
  }
  c->cursor -= span;
  return c->cursor;
}

/* The same, or NULL when nothing is left; then c is exactly as it was.
 *
 *   size    bytes
 *   align   a power of two; less than TN_ALIGN counts as TN_ALIGN
 *   threads the owner of c only
 *   cost    as tn_checked_push_aligned
 */
TN_INLINE void *
tn_checked_try_aligned(tn_checked *c, uint32_t size, uint32_t align)
{
  TN_REQUIRE(tn_is_power_of_two(align), "checked.align",
             "alignment is not a power of two");
  if (TN_DEBUG >= 1)
    return tni_track_push_checked(c, size, align, true);
  const uint32_t to = align < TN_ALIGN ? TN_ALIGN : align;
  const size_t need = tni_checked_round(size);
  size_t span = tni_checked_span(c, need, to);
  if (TN_UNLIKELY(span == SIZE_MAX)) {
    const tn_checked next = tni_checked_more(*c, need + to, true);
    span = tni_checked_span(&next, need, to);
    if (span == SIZE_MAX)
      return NULL;
    *c = next;
  }
  c->cursor -= span;
  return c->cursor;
}

TN_END_DECLS

/* What to store in `spill` for each kind of allocator. */
TN_INLINE const void *
tni_spill_checked(const tn_checked *spill)
{
  return spill;
}

TN_INLINE const void *
tni_spill_bump(const tn_bump *spill)
{
  return (const char *)(const void *)spill + TNI_SPILL_BUMP;
}

TN_INLINE const void *
tni_spill_none(const void *nothing)
{
  return nothing;
}

TN_INLINE tn_checked
tni_checked_local(unsigned char *bytes, size_t size, const void *spill,
                  const tni_checked_name *name)
{
  tn_checked c;
  c.cursor = bytes + size;
  c.limit = bytes;
  c.spill = spill != NULL ? spill : (const char *)name + TNI_SPILL_NAME;
  if (TN_DEBUG >= 1)
    tni_track_begin(&c, name->text, bytes, c.spill, true);
  return c;
}

#ifdef __cplusplus
TN_INLINE const void *
tni_spill(const tn_checked *spill)
{
  return tni_spill_checked(spill);
}
TN_INLINE const void *
tni_spill(const tn_bump *spill)
{
  return tni_spill_bump(spill);
}
TN_INLINE const void *
tni_spill(decltype(nullptr))
{
  return nullptr;
}
#else
#define tni_spill(spill)                                                       \
  _Generic((spill), tn_bump *                                                  \
           : tni_spill_bump, tn_checked *                                      \
           : tni_spill_checked, default                                        \
           : tni_spill_none)(spill)
#endif

#if TN_DEBUG >= 1
#define TNI_LOCAL_CLOSE       __attribute__((cleanup(tni_track_close_local)))
#define TNI_LOCAL_OPEN(local) ((tn_checked *)tni_track_open_local(local))
#else
#define TNI_LOCAL_CLOSE
#define TNI_LOCAL_OPEN(local) (local)
#endif

/* Declare name, a tn_checked * whose first chunk is an array of the block it
 * stands in: temporaries in it vanish as completely as local variables.
 *
 *   bytes   a constant; rounded up to TN_ALIGN
 *   spill   a tn_bump * or tn_checked * to go on in when the array is full,
 *           which must not be used while name lives; or NULL (nullptr in C++):
 *           then running out is tn_checked_try's NULL or tn_checked_push's line
 */
#define TN_LOCAL(name, bytes, spill)                                           \
  static const tni_checked_name tni_##name##_text = {#name, 0};                \
  unsigned char                                                                \
      tni_##name##_bytes[((bytes) + TN_ALIGN - 1) / TN_ALIGN * TN_ALIGN]       \
      __attribute__((aligned(TN_ALIGN)));                                      \
  tn_checked tni_##name##_local TNI_LOCAL_CLOSE =                              \
      tni_checked_local(tni_##name##_bytes, sizeof tni_##name##_bytes,         \
                        tni_spill(spill), &tni_##name##_text);                 \
  tn_checked *const name __attribute__((unused)) =                             \
      TNI_LOCAL_OPEN(&tni_##name##_local)

#endif
