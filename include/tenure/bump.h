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
};

/* Pushes up to this many bytes may leave their probe to the caller's first
 * store.  A compiler may drop a plain store when it sees another one to the
 * same byte follow, so the probe of a larger block is volatile: two of those
 * could step over the guard before the first store happens.  64 Ki pushes of
 * this size in one piece of straight code are not to be feared. */
#define TNI_BUMP_SMALL 65536u

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
  /* Round the size, never mask the pointer: masking hides from the compiler
   * which block this is.  The negative of the size rounds down. */
  const ptrdiff_t step = (ptrdiff_t)(-(int64_t)size & -(int64_t)TN_ALIGN);
  unsigned char *const block = b->cursor + step;
  /* The probe comes before the cursor's store: it is a char store, which may
   * alias everything, and after it the cursor would have to be loaded again.
   * Below the block nothing is live, so a size of 0 harms nobody. */
  if (!__builtin_constant_p(size) || size > TNI_BUMP_SMALL)
    *(volatile unsigned char *)(block - 1) = 0;
  else if (size > 0)
    block[0] = 0;
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
  const ptrdiff_t step = (ptrdiff_t)(-(int64_t)size & -(int64_t)TN_ALIGN);
  unsigned char *block = b->cursor + step;
  /* A difference, not a mask of the pointer: see tn_bump_push. */
  block -= (uintptr_t)block & ((uintptr_t)align - 1) & -(uintptr_t)TN_ALIGN;
  *(volatile unsigned char *)(block - 1) = 0;
  b->cursor = block;
  return block;
}

/* A block that is stored to at once: no probe unless it is large. */
TN_INLINE void *
tni_bump_claim(tn_bump *b, uint32_t size)
{
  if (!__builtin_constant_p(size) || size > TNI_BUMP_SMALL)
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
  } name;                                                                      \
  TN_INLINE type *name##_push(name *b, uint32_t count)                         \
  {                                                                            \
    type *const block = b->cursor - count;                                     \
    if (!__builtin_constant_p(count) || count > TNI_BUMP_SMALL / sizeof(type)) \
      *(volatile type *)(block - 1) = 0;                                       \
    else if (count > 0)                                                        \
      block[0] = 0;                                                            \
    b->cursor = block;                                                         \
    return block;                                                              \
  }                                                                            \
  typedef name name##_is_declared

TN_BUMP_TYPED(tn_bump_f32, float);
TN_BUMP_TYPED(tn_bump_f64, double);
TN_BUMP_TYPED(tn_bump_i32, int32_t);
TN_BUMP_TYPED(tn_bump_i64, int64_t);

/* ---- For every cursor type: tn_bump, tn_checked, the typed ones ---------- */

/* Declare child, an allocator pointer that continues parent's memory by value,
 * for the rest of this block.  What is allocated from it is gone when the
 * block ends, on every way out.  parent must not be allocated from meanwhile:
 * push the result first, then open the scope for scratch.
 *
 *     vec r = new_vec(b, n);       // the result
 *     TN_SCOPE(s, b);              // scratch
 */
#define TN_SCOPE(child, parent)                                                \
  __typeof__(*(parent)) tni_##child##_scope = *(parent);                       \
  __typeof__(*(parent)) *const child __attribute__((unused)) =                 \
      &tni_##child##_scope

/* The same for the statement that follows, also as the body of an if or a
 * loop.  break leaves the scope.
 *
 *     TN_WITH_SCOPE(s, b) { ... }
 */
#define TN_WITH_SCOPE(child, parent)                                           \
  for (__typeof__(*(parent)) tni_##child##_scope = *(parent),                  \
                             *child = &tni_##child##_scope;                    \
       child != 0; child = 0)

/* Release all of child, a scope of parent that stays open: the end of a
 * loop's turn. */
#define TN_SCOPE_RESET(child, parent) ((void)(*(child) = *(parent)))

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

/* End child, a scope of parent, but keep size bytes of it (elements, for a
 * typed cursor) at pointer: they slide up to parent's cursor, which moves by
 * their rounded size and no more.  One memmove.  Yields where they are now.
 * child must not be used afterwards. */
#define TN_KEEP(parent, child, pointer, size)                                  \
  ((void)(child), (__typeof__(pointer))tni_keep(parent, pointer, size))

#endif
