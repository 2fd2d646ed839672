/* bump.h -- the branchless bump allocator
 *
 * One word of state.  A push subtracts and stores: no branch, no call; what
 * would overflow faults into address space reserved for that.  Nothing is
 * freed: a scope copies the cursor and forgets the copy.  For memory without a
 * guard (a buffer, a local array, WebAssembly) see checked.h.
 *
 *     guard (8 GiB and more)      free             live
 *     |xxxxxxxxxxxxxxxxxxxxxxx|...............|==============|
 *                            low          cursor           high
 *
 * Invariants
 *   [bump.order]   low <= cursor <= high.
 *   [bump.align]   the cursor of a tn_bump is a multiple of TN_ALIGN; a typed
 *                  cursor, of its type's size.
 *   [bump.probe]   after each push that moved the cursor a byte of the block,
 *                  or the one below it, has been stored to.
 *   [bump.guard]   the guard is wider than any one push can move the cursor:
 *                  with [bump.probe] no push can step over it.
 *   [bump.size]    a size fits in 32 bits.
 *   [bump.full]    a push that nothing can serve stops the program.
 *   [bump.mark]    an allocator is rewound only to its own, older marks.
 *   [bump.closed]  a scope that has ended is not used.
 *   [bump.created]  only what tn_bump_create made is reset, destroyed, tried.
 *   [bump.frozen]  while a scope of an allocator lives, the allocator itself
 *                  is not allocated from.
 * Threads   one owner at a time; no lock.
 * Failure   tn_bump_push: one line and SIGABRT; tn_bump_try: NULL.
 * Cost      6 instructions.
 * Source    the idea of the project; a probe is what makes it sound.
 * Design    doc/design/bump.md      Tests  test/bump/, test/golden/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_BUMP_H
#define TENURE_BUMP_H

#include <tenure/base.h>
#include <tenure/checked.h>

#include <string.h>

#ifdef __cplusplus
#include <new>
#endif

TN_BEGIN_DECLS

struct tn_bump {
  unsigned char *cursor;  // owner
  TNI_TRACK_FIELD         // debug builds only
};

typedef struct tn_bump_options {
  const char *name;  // for messages: text that lives as long as the allocator
  size_t size;       // bytes at most; 0, or more than it: what the process may
                     // have (physical memory, rlimits, memory cgroup)
  tn_commit commit;  // TN_COMMIT_TOUCH or TN_COMMIT_FAULT
  bool avoid_huge;   // no huge pages, although there is room for them
  bool log;          // debug builds: say every push; scopes inherit it
} tn_bump_options;

/* Reserve address space for an allocator.
 *
 *   out     written only when TN_OK is returned
 *   options NULL for the defaults: as large as may be, committed on touch,
 *           huge pages beyond the first 2 MiB
 *   returns TN_OK; TN_ENOMEM when there is no address space for size and guard
 *           (also under a limit on it); TN_EINVAL for another commit;
 *           TN_ENOTSUP where no guard can be had: use tn_checked
 *   threads any
 *   cost    a few system calls
 */
TN_API tn_status tn_bump_create(tn_bump *out, const tn_bump_options *options);

/* Give all of it back.  b is what tn_bump_create made, not a scope of it, and
 * no scope of it lives.
 *
 *   threads the owner of b
 *   cost    a few system calls
 */
TN_API void tn_bump_destroy(tn_bump *b);

/* Release every block.  Pages are kept for the next use, up to a high-water
 * mark that decays by an eighth a reset.  b as for tn_bump_destroy.
 *
 *   threads the owner of b
 *   cost    some instructions; rarely a system call
 */
TN_API void tn_bump_reset(tn_bump *b);

/* Have memory for the next pushes of together bytes now, where a refusal is a
 * value, and not a death later.  Also what TN_COMMIT_FAULT needs before a
 * system call is handed memory below the cursor: blocks themselves are there,
 * the probe of their push has seen to that.
 *
 *   returns TN_OK; TN_ENOMEM when the system refuses; TN_ERANGE when that much
 *           is not left.  With TN_COMMIT_TOUCH the system is not asked.
 *   threads the owner of b
 *   cost    a look-up; perhaps a system call
 */
TN_API tn_status tn_bump_commit(tn_bump *b, size_t bytes);

/* The most bytes that were ever in use at once, scopes included; a reset
 * forgets.  Release builds know only what is in use now.
 *
 *   threads the owner of b
 *   cost    a look-up
 */
TN_API size_t tn_bump_high_water(const tn_bump *b);

/* What tn_bump_push and tn_bump_try need of the library. */
TN_API unsigned char *tni_bump_try(unsigned char *cursor, size_t size,
                                   size_t align);
TN_API tn_status tni_bump_create(void *out, const tn_bump_options *options,
                                 size_t unit);
TN_API void tni_bump_destroy(void *cursor);
TN_API void tni_bump_reset(void *cursor);

/* Pushes of a constant size up to this may leave their probe to the caller's
 * first store.  A compiler may drop a plain store when it sees another one to
 * the same byte follow, so the probe of any other block is volatile: two such
 * blocks could step over the guard before the first store happens.  64 Ki
 * pushes of this size in one piece of straight code are not to be feared. */
#define TNI_BUMP_SMALL 65536u

/* Clang folds the addition that makes p into the address of the probe, and
 * then needs a seventh instruction to have p itself.  Gcc does not, and would
 * count the asm against inlining. */
#ifdef __clang__
#define TNI_BUMP_HIDE(p) __asm__("" : "+r"(p))
#else
#define TNI_BUMP_HIDE(p) ((void)0)
#endif

/* Allocate size bytes, aligned to TN_ALIGN.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   returns the block, not zeroed; never NULL
 *   errors  beyond the reserved size: one line and SIGABRT, by the fault
 *           handler
 *   threads the owner of b only
 *   cost    6 instructions, no branch, no call
 */
TN_INLINE void *
tn_bump_push(tn_bump *b, uint32_t size)
{
  if (TN_DEBUG >= 1)
    return tni_track_push(b, size, TN_ALIGN, TN_ALIGN, false);
  /* Round the size, never mask the pointer: masking hides from the compiler
   * which block this is.  The negative of the size rounds down. */
  const ptrdiff_t step = (ptrdiff_t)(-(int64_t)size & -(int64_t)TN_ALIGN);
  unsigned char *block = b->cursor + step;
  /* The probe comes before the cursor's store: it is a char store, which may
   * alias everything, and after it the cursor would have to be loaded again.
   * Below the block nothing is live, so a size of 0 harms nobody. */
  if (!__builtin_constant_p(size) || size > TNI_BUMP_SMALL) {
    TNI_BUMP_HIDE(block);
    *(volatile unsigned char *)(block - 1) = 0;
  } else if (size > 0) {
    block[0] = 0;
  }
  b->cursor = block;
  return block;
}

/* Allocate size bytes with an alignment of the caller's choice.
 *
 *   size    bytes
 *   align   a power of two; less than TN_ALIGN counts as TN_ALIGN
 *   returns the block, not zeroed; never NULL
 *   errors  as tn_bump_push
 *   threads the owner of b only
 *   cost    a few instructions more than tn_bump_push, no branch, no call
 */
TN_INLINE void *
tn_bump_push_aligned(tn_bump *b, uint32_t size, uint32_t align)
{
  TN_REQUIRE(tn_is_power_of_two(align), "bump.align",
             "alignment is not a power of two");
  if (TN_DEBUG >= 1)
    return tni_track_push(b, size, align, TN_ALIGN, false);
  const ptrdiff_t step = (ptrdiff_t)(-(int64_t)size & -(int64_t)TN_ALIGN);
  unsigned char *block = b->cursor + step;
  /* A difference, not a mask of the pointer: see tn_bump_push. */
  block -= (uintptr_t)block & ((uintptr_t)align - 1) & -(uintptr_t)TN_ALIGN;
  if (!__builtin_constant_p(size) || !__builtin_constant_p(align) ||
      size > TNI_BUMP_SMALL || align > TNI_BUMP_SMALL)
    *(volatile unsigned char *)(block - 1) = 0;
  else if (size > 0)
    block[0] = 0;
  b->cursor = block;
  return block;
}

/* The same as tn_bump_push, or NULL when it does not fit: b is then exactly as
 * it was.  b must be over a region (tn_bump_create), whose end is looked up.
 *
 *   size    bytes
 *   threads the owner of b only
 *   cost    a call and a look-up; with TN_COMMIT_FAULT perhaps a system call
 */
TN_INLINE void *
tn_bump_try(tn_bump *b, uint32_t size)
{
  if (TN_DEBUG >= 1)
    return tni_track_push(b, size, TN_ALIGN, TN_ALIGN, true);
  unsigned char *const block = tni_bump_try(b->cursor, size, TN_ALIGN);
  if (block != NULL)
    b->cursor = block;
  return block;
}

/* The same as tn_bump_push_aligned, or NULL as for tn_bump_try.
 *
 *   size    bytes
 *   align   a power of two; less than TN_ALIGN counts as TN_ALIGN
 *   threads the owner of b only
 *   cost    as tn_bump_try
 */
TN_INLINE void *
tn_bump_try_aligned(tn_bump *b, uint32_t size, uint32_t align)
{
  TN_REQUIRE(tn_is_power_of_two(align), "bump.align",
             "alignment is not a power of two");
  if (TN_DEBUG >= 1)
    return tni_track_push(b, size, align, TN_ALIGN, true);
  unsigned char *const block = tni_bump_try(b->cursor, size, align);
  if (block != NULL)
    b->cursor = block;
  return block;
}

/* A block that is stored to at once: no probe unless it is large. */
TN_INLINE void *
tni_bump_claim(tn_bump *b, uint32_t size)
{
  if (TN_DEBUG >= 1 || !__builtin_constant_p(size) || size > TNI_BUMP_SMALL)
    return tn_bump_push(b, size);
  const ptrdiff_t step = (ptrdiff_t)(-(int64_t)size & -(int64_t)TN_ALIGN);
  b->cursor += step;
  return b->cursor;
}

/* The bytes of an array; a line and SIGABRT when they do not fit 32 bits. */
TN_INLINE uint32_t
tni_bump_array_size(uint64_t count, uint64_t size)
{
  if (TN_UNLIKELY(count > UINT32_MAX / size))
    tn_contract_broken("bump.size",
                       "an array larger than 4 GiB: push it in parts", __FILE__,
                       __LINE__);
  return (uint32_t)(count * size);
}

/* Slide count units from a dying scope up to below the cursor that slot holds.
 * They lie below it already, or the guard stops the copy: either way no probe
 * is needed, and one could hit what is to be moved. */
TN_INLINE void *
tni_bump_keep(void *slot, size_t unit, const void *from, uint32_t count)
{
  const size_t granule = unit == 1 ? TN_ALIGN : unit;
  const size_t size = (size_t)count * unit;
  unsigned char *cursor;
  /* Whatever its type, a cursor is a pointer; memcpy reads it as one. */
  memcpy(&cursor, slot, sizeof cursor);
  cursor -= (size + granule - 1) & ~(granule - 1);
  memmove(cursor, from, size);
  memcpy(slot, &cursor, sizeof cursor);
  return cursor;
}

/* The same for a tn_checked, where the scope may have gone on elsewhere. */
TN_INLINE void *
tni_checked_keep(tn_checked *parent, const void *from, uint32_t size)
{
  return memmove(tn_checked_push(parent, size), from, size);
}

/* Where an allocator is: go back there with tn_bump_rewind.  A scope does the
 * same with less to remember; a mark is for what is not a block of C. */
typedef struct tn_bump_mark {
  unsigned char *cursor;
  unsigned id;  // of the scope, in debug builds
} tn_bump_mark;

/* Note where b is.
 *
 *   threads the owner of b
 *   cost    a load
 */
TN_INLINE tn_bump_mark
tn_bump_get_mark(const tn_bump *b)
{
  tn_bump_mark mark;
  mark.cursor = b->cursor;
#if TN_DEBUG >= 1
  mark.id = b->track.id;
#else
  mark.id = 0;
#endif
  return mark;
}

/* Release what b has allocated since the mark was made.  Scopes of b that a
 * longjmp left end as well.
 *
 *   mark    of this very allocator, not of its parent or scope, and not newer
 *           than where it was rewound to since ([bump.mark])
 *   threads the owner of b
 *   cost    a store
 */
TN_INLINE void
tn_bump_rewind(tn_bump *b, tn_bump_mark mark)
{
  if (TN_DEBUG >= 1)
    tni_track_rewind(b, mark.cursor, mark.id);
  b->cursor = mark.cursor;
}

/* Say every push of b on standard error from now on, or stop.  Scopes opened
 * later inherit it.  Release builds cannot.
 *
 *   threads the owner of b
 *   cost    a store; nothing in release builds
 */
TN_INLINE void
tn_bump_log(tn_bump *b, bool on)
{
#if TN_DEBUG >= 1
  b->track.do_log = on;
#else
  (void)b, (void)on;
#endif
}

/* A provider that allocates from bump, as long as that lives. */
typedef struct tn_bump_provider {
  tn_provider provider;
  tn_bump *bump;  // const
} tn_bump_provider;

/* Offer b where any allocator is taken: give &result.provider.  Blocks go when
 * b's scope does; free does nothing.  It is b itself that moves: offer a scope
 * to have them in the scope.
 *
 *   threads pure
 *   cost    a few instructions
 */
TN_API tn_bump_provider tn_bump_provide(tn_bump *b);

TN_END_DECLS

/* ---- Typed cursors ------------------------------------------------------ */

/* Declare the cursor type name over the scalar type: struct with
 * `type *cursor`, whose granule is one element.  Nothing is rounded, and a
 * store through a block cannot alias the cursor, which stays in its register.
 *
 *     TN_BUMP_TYPED(tn_bump_f32, float)
 *     float *x = tn_bump_f32_push(b, count);   // uint32_t count, in elements
 */
#define TN_BUMP_TYPED(name, type)                                              \
  typedef struct name {                                                        \
    type *cursor;                                                              \
    TNI_TRACK_FIELD                                                            \
  } name;                                                                      \
  TN_INLINE type *name##_push(name *b, uint32_t count)                         \
  {                                                                            \
    if (TN_DEBUG >= 1)                                                         \
      return (type *)tni_track_push(b, (size_t)count * sizeof(type), 1,        \
                                    sizeof(type), false);                      \
    type *block = b->cursor - count;                                           \
    if (!__builtin_constant_p(count) ||                                        \
        count > TNI_BUMP_SMALL / sizeof(type)) {                               \
      TNI_BUMP_HIDE(block);                                                    \
      *(volatile type *)(block - 1) = 0;                                       \
    } else if (count > 0) {                                                    \
      block[0] = 0;                                                            \
    }                                                                          \
    b->cursor = block;                                                         \
    return block;                                                              \
  }                                                                            \
  TN_INLINE tn_status name##_create(name *out, const tn_bump_options *options) \
  {                                                                            \
    return tni_bump_create(out, options, sizeof(type));                        \
  }                                                                            \
  TN_INLINE void name##_destroy(name *b)                                       \
  {                                                                            \
    tni_bump_destroy(b);                                                       \
  }                                                                            \
  TN_INLINE void name##_reset(name *b)                                         \
  {                                                                            \
    tni_bump_reset(b);                                                         \
  }                                                                            \
  typedef name name##_is_declared

TN_BUMP_TYPED(tn_bump_f32, float);
TN_BUMP_TYPED(tn_bump_f64, double);
TN_BUMP_TYPED(tn_bump_i32, int32_t);
TN_BUMP_TYPED(tn_bump_i64, int64_t);

/* ---- For every cursor type: tn_bump, tn_checked, the typed ones ---------- */

/* A scope's storage is a copy of its parent; debug builds make it in the call
 * that freezes the parent, and undo that when it goes out of C's scope. */
#if TN_DEBUG >= 1
#define TNI_SCOPE_COPY(parent) __attribute__((cleanup(tni_track_close)))
#define TNI_SCOPE_OPEN(storage, parent, name)                                  \
  (__typeof__(storage) *)tni_track_open(&storage, sizeof storage, parent, name)
#define TNI_SCOPE_RESET(child, parent) tni_track_reset(child, parent)
#else
#define TNI_SCOPE_COPY(parent)                = *(parent)
#define TNI_SCOPE_OPEN(storage, parent, name) &storage
#define TNI_SCOPE_RESET(child, parent)        ((void)(*(child) = *(parent)))
#endif

/* Declare child, an allocator pointer that continues parent's memory by value,
 * for the rest of this block.  What is allocated from it is gone when the
 * block ends, on every way out.  parent must not be allocated from meanwhile:
 * push the result first, then open the scope for scratch.
 *
 *     vec r = new_vec(b, n);       // the result
 *     TN_SCOPE(s, b);              // scratch
 */
#define TN_SCOPE(child, parent)                                                \
  __typeof__(*(parent)) tni_##child##_scope TNI_SCOPE_COPY(parent);            \
  __typeof__(*(parent)) *const child __attribute__((unused)) =                 \
      TNI_SCOPE_OPEN(tni_##child##_scope, parent, #child)

/* The same for the statement that follows, also as the body of an if or a
 * loop.  break leaves the scope.
 *
 *     TN_WITH_SCOPE(s, b) { ... }
 */
#define TN_WITH_SCOPE(child, parent)                                           \
  for (__typeof__(*(parent)) tni_##child##_scope TNI_SCOPE_COPY(parent),       \
       *child = TNI_SCOPE_OPEN(tni_##child##_scope, parent, #child);           \
       child != 0; child = 0)

/* Release all of child, a scope of parent that stays open: the end of a
 * loop's turn. */
#define TN_SCOPE_RESET(child, parent) TNI_SCOPE_RESET(child, parent)

#ifdef __cplusplus
TN_INLINE void *
tni_claim(tn_bump *b, uint32_t size)
{
  return tni_bump_claim(b, size);
}
TN_INLINE void *
tni_claim(tn_checked *c, uint32_t size)
{
  return tn_checked_push(c, size);
}
TN_INLINE void *
tni_push(tn_bump *b, uint32_t size)
{
  return tn_bump_push(b, size);
}
TN_INLINE void *
tni_push(tn_checked *c, uint32_t size)
{
  return tn_checked_push(c, size);
}
template <class C>
TN_INLINE void *
tni_keep(C *parent, const void *from, uint32_t count)
{
  return tni_bump_keep(&parent->cursor, sizeof *parent->cursor, from, count);
}
TN_INLINE void *
tni_keep(tn_checked *parent, const void *from, uint32_t size)
{
  return tni_checked_keep(parent, from, size);
}
#else
#define tni_claim(b, size)                                                     \
  _Generic((b), tn_bump *                                                      \
           : tni_bump_claim, tn_checked *                                      \
           : tn_checked_push)(b, size)
#define tni_push(b, size)                                                      \
  _Generic((b), tn_bump *                                                      \
           : tn_bump_push, tn_checked *                                        \
           : tn_checked_push)(b, size)
#define tni_keep(parent, from, count)                                          \
  _Generic((parent), tn_checked *                                              \
           : tni_keep_checked, default                                         \
           : tni_bump_keep)(&(parent)->cursor, sizeof *(parent)->cursor, from, \
                            count)
TN_INLINE void *
tni_keep_checked(void *parent, size_t unit, const void *from, uint32_t size)
{
  (void)unit;
  return tni_checked_keep((tn_checked *)parent, from, size);
}
#endif

/* A new T in b (tn_bump * or tn_checked *), its value given in braces, which
 * are stored at once.  T's alignment is at most TN_ALIGN.  Yields T *.
 *
 *     node *n = TN_NEW(b, node, {.left = l, .right = r});
 */
#ifdef __cplusplus
#define TN_NEW(b, T, ...) (::new (tni_claim(b, sizeof(T))) T __VA_ARGS__)
#else
#define TN_NEW(b, T, ...)                                                      \
  __extension__({                                                              \
    _Static_assert(_Alignof(T) <= TN_ALIGN, #T " needs a push_aligned");       \
    T *const tni_new = (T *)tni_claim(b, sizeof(T));                           \
    *tni_new = (T)__VA_ARGS__;                                                 \
    tni_new;                                                                   \
  })
#endif

/* count new Ts in b (tn_bump * or tn_checked *), not initialised.  Yields T *.
 * More than 4 GiB break [bump.size]: a line and SIGABRT. */
#define TN_NEW_ARRAY(b, T, count)                                              \
  ((T *)tni_push(b, tni_bump_array_size((uint64_t)(count), sizeof(T))))

#if TN_DEBUG >= 1
#define TNI_KEEP(parent, child, pointer, size)                                 \
  tni_track_keep(                                                              \
      parent, child, pointer, (size_t)(size) * sizeof *(parent)->cursor,       \
      sizeof *(parent)->cursor == 1 ? TN_ALIGN : sizeof *(parent)->cursor)
#else
#define TNI_KEEP(parent, child, pointer, size)                                 \
  ((void)(child), tni_keep(parent, pointer, size))
#endif

/* End child, a scope of parent, but keep size bytes of it (elements, for a
 * typed cursor) at pointer: they slide up to parent's cursor, which moves by
 * their rounded size and no more.  One memmove.  Yields where they are now.
 * child must not be used afterwards. */
#define TN_KEEP(parent, child, pointer, size)                                  \
  ((__typeof__(pointer))TNI_KEEP(parent, child, pointer, size))

/* Debug builds refuse a size that does not fit in 32 bits ([bump.size]), which
 * the conversion to uint32_t would otherwise cut. */
#if TN_DEBUG >= 1
#define TNI_BUMP_FIT(size)    ((uint32_t)tni_bump_array_size((uint64_t)(size), 1))
#define tn_bump_push(b, size) tn_bump_push(b, TNI_BUMP_FIT(size))
#define tn_bump_try(b, size)  tn_bump_try(b, TNI_BUMP_FIT(size))
#define tn_bump_push_aligned(b, size, align)                                   \
  tn_bump_push_aligned(b, TNI_BUMP_FIT(size), align)
#define tn_checked_push(c, size) tn_checked_push(c, TNI_BUMP_FIT(size))
#define tn_checked_try(c, size)  tn_checked_try(c, TNI_BUMP_FIT(size))
#define tn_checked_push_aligned(c, size, align)                                \
  tn_checked_push_aligned(c, TNI_BUMP_FIT(size), align)
#endif

#endif
