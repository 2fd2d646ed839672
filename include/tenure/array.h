/* array.h -- growable arrays: one face, memory from any provider
 *
 * Two types with the same macros.  TN_ARRAY(T) is contiguous; when it is full
 * it grows in place if its provider can, and moves otherwise (over a
 * tn_reserved of <tenure/source.h> it never moves).  TN_SEGMENTS(T) is a list
 * of pieces that double: elements never move, no address space is reserved,
 * and over a bump scope there is nothing to free.
 *
 *   TN_ARRAY      first |== elements ==|.. room ..| end
 *                                      next
 *   TN_SEGMENTS   8 elements | 8 << 1 | ... | 8 << k
 *                                first |====|....| end   (the current piece)
 *                 in front of first: the table of pieces, and how many
 *                 elements lie before
 *
 *     typedef TN_ARRAY(int) ints;
 *     ints a;
 *     tn_array_init(&a, provider);
 *     tn_array_push(&a, 42);
 *     TN_ARRAY_EACH (item, &a)
 *       sum += *item;
 *     tn_array_fini(&a);
 *
 * An array is a plain struct of four words.  Keep it in a local variable where
 * it grows: then a push is four instructions, as its cursor is a register.
 * The slow path gets the state by value and returns it: taking the address of
 * the array there would force the cursor into memory.
 *
 * Invariants
 *   [array.order]   first <= next <= end; all NULL before the first growth.
 *   [array.still]   TN_SEGMENTS: an element's address never changes.
 *   [array.same]    growth that fails has changed nothing.
 *   [array.grant]   all of what a provider grants is used (TN_ARRAY).
 * Contracts
 *   [array.index]   an index is less than the count.
 *   [array.empty]   pop wants an element.
 *   [array.size]    count * sizeof(T) fits in half the address space.
 *   [array.memory]  push wants memory; tn_array_try_push for a value instead.
 * Threads   the owner of the array only, and as its provider says.
 * Failure   push: one line and SIGABRT; try_push: NULL; reserve: false.
 * Cost      push: at most 5 instructions, no call until the room is used up.
 * Source    segments that double and an index by the highest bit: Bagwell,
 *           Brodnik et al. 1999, Zig's SegmentedList; ours keeps the table in
 *           the provider's memory, so that the handle is as small as TN_ARRAY.
 * Design    doc/design/array.md      Tests  test/array/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_ARRAY_H
#define TENURE_ARRAY_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

/* What both types are made of.  A unit is a byte of a type of its own, so that
 * no store to an element can be a store to these pointers. */
typedef struct tn_array_unit {
  unsigned char byte;
} tn_array_unit;

typedef struct tn_array_base {
  tn_array_unit *next;    // owner: where the next push goes
  tn_array_unit *end;     // owner: next == end means full
  tn_array_unit *first;   // owner: start of the current piece
  tn_provider *provider;  // const
} tn_array_base;

/* The type of a contiguous array.  item and form are never read: their types
 * say what the elements are and which of the two types this is. */
#define TN_ARRAY(T) TNI_ARRAY_UNION(T, 1)

/* The type of an array in pieces. */
#define TN_SEGMENTS(T) TNI_ARRAY_UNION(T, 2)

#define TNI_ARRAY_UNION(T, number)                                             \
  union {                                                                      \
    tn_array_base base;                                                        \
    T *item;              /* NOLINT(bugprone-macro-parentheses): a type */     \
    char (*form)[number]; /* NOLINT(bugprone-macro-parentheses) */             \
  }

/* ---- The face: a is a pointer to an array; each argument is evaluated once */

/* Make an array empty, with memory from provider when it needs some.
 *
 *   from    the tn_provider *, which outlives the array; for a TN_ARRAY that
 *           must not move, a tn_reserved's
 *   cost    four stores
 */
#define tn_array_init(a, from) tni_array_init(&(a)->base, from)

/* Give the memory back, if the provider takes it back; the array is empty
 * again.  Not needed when the provider goes as a whole (a scope).
 *
 *   cost    a provider's free a piece
 */
#define tn_array_fini(a) tni_array_fini(&(a)->base, TNI_ARRAY_SHAPE(a, 0))

/* Append a value; out of memory is one line and SIGABRT.  [array.memory]
 *
 *   ...     an initialiser of T, evaluated before the array grows: it may be
 *           an element of the same array
 *   returns T *, where it is now
 *   cost    at most 5 instructions; a provider's allocation when full, so
 *           O(1) on average
 */
#define tn_array_push(a, ...)                                                  \
  TNI_ARRAY_PUSH(TNI_UNIQUE(array), TNI_UNIQUE(value), TNI_UNIQUE(slot), true, \
                 a, __VA_ARGS__)

/* The same; NULL, and the array as it was, when there is no memory. */
#define tn_array_try_push(a, ...)                                              \
  TNI_ARRAY_PUSH(TNI_UNIQUE(array), TNI_UNIQUE(value), TNI_UNIQUE(slot),       \
                 false, a, __VA_ARGS__)

/* The element at an index, as T *.  [array.index]
 *
 *   index   size_t, less than the count
 *   cost    TN_ARRAY: an addition; TN_SEGMENTS: a bit scan and three loads
 */
#define tn_array_at(a, index)                                                  \
  ((TNI_ARRAY_T(a) *)tni_array_at(&(a)->base, index, TNI_ARRAY_SHAPE(a, 0),    \
                                  __FILE__, __LINE__))

/* How many elements there are, as size_t.  O(1). */
#define tn_array_count(a) tni_array_count(&(a)->base, TNI_ARRAY_SHAPE(a, 0))
#define tn_len(a)         tn_array_count(a)

/* Make room for count elements in all: a loop that pushes so many then asks
 * the provider for nothing.  TN_ARRAY asks once, for exactly that.
 *
 *   returns false when there is no memory, or [array.size] is broken
 */
#define tn_array_reserve(a, count)                                             \
  tni_array_reserve(&(a)->base, count, TNI_ARRAY_SHAPE(a, TNI_ARRAY_EXACT),    \
                    __FILE__, __LINE__)

/* Remove the last element and return it.  [array.empty] */
#define tn_array_pop(a)                                                        \
  (*(TNI_ARRAY_T(a) *)tni_array_pop(&(a)->base, TNI_ARRAY_SHAPE(a, 0),         \
                                    __FILE__, __LINE__))

/* Remove all elements; the memory stays for the next ones.  O(1). */
#define tn_array_clear(a) tni_array_clear(&(a)->base, TNI_ARRAY_SHAPE(a, 0))

/* A loop over all elements in order: item is a T *.  break and continue work.
 * A TN_ARRAY must not grow meanwhile; elements pushed to TN_SEGMENTS meanwhile
 * are not visited.  a is evaluated once. */
#define TN_ARRAY_EACH(item, a)                                                 \
  TNI_ARRAY_EACH(TNI_UNIQUE(walk), TNI_UNIQUE(once), item, a)

/* ---- What stands behind it ---------------------------------------------- */

#define TNI_ARRAY_BASE_LOG2 3  // the first piece has 8 elements

#define TNI_ARRAY_SEGMENTED (1u << 0)
#define TNI_ARRAY_MUST      (1u << 1)  // out of memory is fatal
#define TNI_ARRAY_EXACT     (1u << 2)  // grow no further than asked

typedef struct tn_array_shape {
  size_t size;     // of an element
  unsigned align;  // of an element
  unsigned flags;  // TNI_ARRAY_SEGMENTED and so on
} tn_array_shape;

/* Two words: returned in registers. */
typedef struct tn_array_piece {
  void *first;  // NULL: none
  void *end;
} tn_array_piece;

/* All pieces of a TN_SEGMENTS, in the provider's memory. */
typedef struct tn_array_table {
  unsigned count;     // pieces that exist; those after the current are empty
  unsigned capacity;  // pointers that fit behind this record
} tn_array_table;

/* In front of the first element of every piece; exact in the current one. */
typedef struct tn_array_head {
  tn_array_table *table;
  size_t before;  // elements in the pieces before this one
} tn_array_head;

/* Room for more elements than there are: the piece to go on in; first NULL
 * when there is no memory and shape.flags has no TNI_ARRAY_MUST.
 *
 *   first, next, end  the array's
 *   more    elements wanted beyond those there are, at least 1
 *   returns TN_ARRAY: the elements have been moved there.  TN_SEGMENTS: the
 *           piece after this one if this one is full, otherwise this one
 */
TN_API TN_COLD tn_array_piece tni_array_grow(tn_provider *provider, void *first,
                                             void *next, void *end,
                                             tn_array_shape shape, size_t more);

/* Give all memory of an array back to its provider. */
TN_API TN_COLD void tni_array_release(tn_provider *provider, void *first,
                                      void *end, tn_array_shape shape);

/* The piece before the one that starts at first, or the first one of all. */
TN_API TN_COLD tn_array_piece tni_array_back(void *first, size_t size,
                                             bool to_start);

TN_END_DECLS

#define TNI_PASTE_TOKENS(a, b) a##b
#define TNI_PASTE(a, b)        TNI_PASTE_TOKENS(a, b)
/* A name that no other expansion has: macros nest without shadowing. */
#define TNI_UNIQUE(name) TNI_PASTE(tni_##name##_, __COUNTER__)

/* A contract, reported at the caller's line. */
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
#define TNI_ARRAY_REQUIRE(cond, tag, text, file, line)                         \
  (TN_LIKELY(cond) ? (void)0 : tn_contract_broken(tag, text, file, line))
#else
#define TNI_ARRAY_REQUIRE(cond, tag, text, file, line)                         \
  ((void)(0 && (cond)), (void)(file), (void)(line))
#endif

#define TNI_ARRAY_T(a) __typeof__(*(a)->item)
#define TNI_ARRAY_SHAPE(a, flags)                                              \
  tni_array_shape(sizeof(*(a)->item), __alignof__(*(a)->item),                 \
                  (sizeof(*(a)->form) == 2 ? TNI_ARRAY_SEGMENTED : 0) |        \
                      (flags))

TN_INLINE tn_array_shape
tni_array_shape(size_t size, size_t align, unsigned flags)
{
  tn_array_shape shape;
  shape.size = size;
  shape.align = (unsigned)align;
  shape.flags = flags;
  return shape;
}

TN_INLINE tn_array_head *
tni_array_head(void *first)
{
  return (tn_array_head *)first - 1;
}

/* The pieces of a table: the pointers behind it. */
TN_INLINE void **
tni_array_pieces(tn_array_table *table)
{
  return (void **)(table + 1);
}

/* Elements in pieces 0 to k - 1. */
TN_INLINE size_t
tni_array_before(unsigned k)
{
  return (((size_t)1 << k) - 1) << TNI_ARRAY_BASE_LOG2;
}

/* Element index is in piece k when 8 << k is the highest bit of index + 8:
 * this is that bit's number. */
TN_INLINE unsigned
tni_array_top_bit(size_t index)
{
  const unsigned long long biased = index + (1ull << TNI_ARRAY_BASE_LOG2);
  return 63u ^ (unsigned)__builtin_clzll(biased);
}

TN_INLINE unsigned
tni_array_piece_of(size_t index)
{
  return tni_array_top_bit(index) - TNI_ARRAY_BASE_LOG2;
}

TN_INLINE void
tni_array_init(tn_array_base *a, tn_provider *provider)
{
  a->next = a->end = a->first = NULL;
  a->provider = provider;
}

TN_INLINE void
tni_array_fini(tn_array_base *a, tn_array_shape shape)
{
  tni_array_release(a->provider, a->first, a->end, shape);
  tni_array_init(a, a->provider);
}

TN_INLINE size_t
tni_array_count(const tn_array_base *a, tn_array_shape shape)
{
  const size_t here = (size_t)(a->next - a->first) / shape.size;
  if (!(shape.flags & TNI_ARRAY_SEGMENTED) || a->first == NULL)
    return here;
  return here + tni_array_head(a->first)->before;
}

TN_INLINE void
tni_array_enter(tn_array_base *a, tn_array_piece piece, size_t used)
{
  a->first = (tn_array_unit *)piece.first;
  a->end = (tn_array_unit *)piece.end;
  a->next = a->first + used;
}

/* True, and room for more; or false, and nothing has changed. */
TN_INLINE bool
tni_array_more(tn_array_base *a, size_t more, tn_array_shape shape)
{
  const tn_array_piece piece =
      tni_array_grow(a->provider, a->first, a->next, a->end, shape, more);
  if (piece.first == NULL)
    return false;
  const bool is_new_piece =
      (shape.flags & TNI_ARRAY_SEGMENTED) && piece.first != a->first;
  tni_array_enter(a, piece, is_new_piece ? 0 : (size_t)(a->next - a->first));
  return true;
}

/* Where the next element goes, or NULL.  It does not exist before the caller
 * moves next on, after storing it: moved first, gcc needs a register more. */
TN_INLINE void *
tni_array_slot(tn_array_base *a, tn_array_shape shape)
{
  if (TN_UNLIKELY(a->next == a->end) && !tni_array_more(a, 1, shape)) {
    if (shape.flags & TNI_ARRAY_MUST)
      __builtin_unreachable();
    return NULL;
  }
  return a->next;
}

TN_INLINE void *
tni_array_at(const tn_array_base *a, size_t index, tn_array_shape shape,
             const char *file, int line)
{
  TNI_ARRAY_REQUIRE(index < tni_array_count(a, shape), "array.index",
                    "index is not less than the count", file, line);
  if (!(shape.flags & TNI_ARRAY_SEGMENTED))
    return a->first + index * shape.size;
  const unsigned top = tni_array_top_bit(index);
  tn_array_table *const table = tni_array_head(a->first)->table;
  char *const piece =
      (char *)tni_array_pieces(table)[top - TNI_ARRAY_BASE_LOG2];
  const size_t biased = index + ((size_t)1 << TNI_ARRAY_BASE_LOG2);
  return piece + (biased ^ (size_t)1 << top) * shape.size;
}

TN_INLINE bool
tni_array_reserve(tn_array_base *a, size_t count, tn_array_shape shape,
                  const char *file, int line)
{
  TNI_ARRAY_REQUIRE(count <= (size_t)PTRDIFF_MAX / shape.size, "array.size",
                    "count * size is more than half the address space", file,
                    line);
  const size_t now = tni_array_count(a, shape);
  return count <= now || tni_array_more(a, count - now, shape);
}

TN_INLINE void *
tni_array_pop(tn_array_base *a, tn_array_shape shape, const char *file,
              int line)
{
  TNI_ARRAY_REQUIRE(tni_array_count(a, shape) > 0, "array.empty",
                    "pop from an array that has no elements", file, line);
  if ((shape.flags & TNI_ARRAY_SEGMENTED) && a->next == a->first) {
    tni_array_enter(a, tni_array_back(a->first, shape.size, false), 0);
    a->next = a->end;
  }
  a->next -= shape.size;
  return a->next;
}

TN_INLINE void
tni_array_clear(tn_array_base *a, tn_array_shape shape)
{
  if ((shape.flags & TNI_ARRAY_SEGMENTED) && a->first != NULL)
    tni_array_enter(a, tni_array_back(a->first, shape.size, true), 0);
  a->next = a->first;
}

#define TNI_ARRAY_PUSH(array, value, slot, must, a, ...)                       \
  __extension__({                                                              \
    tn_array_base *const array = &(a)->base;                                   \
    const TNI_ARRAY_T(a) value = __VA_ARGS__;                                  \
    TNI_ARRAY_T(a) *const slot = (TNI_ARRAY_T(a) *)tni_array_slot(             \
        array, TNI_ARRAY_SHAPE(a, (must) ? TNI_ARRAY_MUST : 0));               \
    if ((must) || slot != NULL) {                                              \
      *slot = value;                                                           \
      array->next += sizeof(value);                                            \
    }                                                                          \
    slot;                                                                      \
  })

/* The state of TN_ARRAY_EACH: a part that lies contiguously, and what is left
 * after it. */
typedef struct tn_array_walk {
  void *begin;
  void *end;
  void **pieces;  // NULL: TN_ARRAY
  size_t left;    // elements after this part
  unsigned k;     // of the next part
} tn_array_walk;

/* Go on to the next part; NULL when there is none. */
TN_INLINE void *
tni_array_walk_next(tn_array_walk *walk, size_t size)
{
  if (walk->left == 0)
    return NULL;
  const size_t room = (size_t)1 << (walk->k + TNI_ARRAY_BASE_LOG2);
  const size_t count = room < walk->left ? room : walk->left;
  walk->begin = walk->pieces[walk->k++];
  walk->end = (char *)walk->begin + count * size;
  walk->left -= count;
  return walk->begin;
}

TN_INLINE tn_array_walk
tni_array_walk_start(const tn_array_base *a, tn_array_shape shape)
{
  tn_array_walk walk = {a->first, a->next, NULL, 0, 0};
  if ((shape.flags & TNI_ARRAY_SEGMENTED) && a->first != NULL) {
    walk.end = walk.begin;
    walk.pieces = tni_array_pieces(tni_array_head(a->first)->table);
    walk.left = tni_array_count(a, shape);
  }
  return walk;
}

/* The outer loop holds the state and runs once; the inner one goes from part
 * to part itself, so that break leaves both.  item is a name that is declared:
 * it cannot stand in parentheses. */
// NOLINTBEGIN(bugprone-macro-parentheses)
#define TNI_ARRAY_EACH(walk, once, item, a)                                    \
  for (tn_array_walk                                                           \
           walk = tni_array_walk_start(&(a)->base, TNI_ARRAY_SHAPE(a, 0)),     \
           *once = &walk;                                                      \
       once != NULL; once = NULL)                                              \
    for (TNI_ARRAY_T(a) *item = (TNI_ARRAY_T(a) *)walk.begin;                  \
         item != walk.end || (item = (TNI_ARRAY_T(a) *)tni_array_walk_next(    \
                                  &walk, sizeof(*item))) != NULL;              \
         item++)
// NOLINTEND(bugprone-macro-parentheses)

#endif
