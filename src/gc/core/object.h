/* object.h -- the attributes that every collector and the inline paths share
 *
 *      63      56 55     48 47                                  1  0
 *     | logged   | flags   | address of the type                 | 0 |
 *     | address of the copy                                        | 1 |
 *
 * The word before an object is one or the other.  The logged byte is the
 * barrier's: not 0 sends a write into the slow path.
 *
 * Invariants
 *   [gc.logged]  the logged byte of an object is 0 while it is young or
 *                remembered; that of an old one is TNI_LOG_OBJECT, that of an
 *                old large array TNI_LOG_SLOTS.
 *   [gc.header]  the type in a header is one that tn_gc_type made, or ours.
 * Threads   logged and flags change by atomic byte operations.
 * Source    Whippet's attributes header; the logged byte is our place for
 *           LuaJIT's gray bit.
 * Design    doc/design/gc.md      Tests  test/gc/test_object.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_OBJECT_H
#define TNI_GC_OBJECT_H

#include <string.h>

#include <tenure/gc.h>

#include "base/base.h"

#define TNI_GRANULE_LOG2 3u
_Static_assert(TN_GC_GRANULE == 1u << TNI_GRANULE_LOG2, "granule");
_Static_assert(TN_GC_HEADER == sizeof(uint64_t), "header");
_Static_assert(sizeof(tn_ref) == sizeof(void *), "a reference is a word");
_Static_assert(offsetof(tn_mutator, cursor) == 0, "cursor comes first");
_Static_assert(offsetof(tn_mutator, limit) == sizeof(void *), "then limit");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the logged byte is the last of the header");

typedef enum tni_gc_flag {
  TNI_FLAG_HASHED = 1,    // its address is its hash: the next move stores it
  TNI_FLAG_HAS_HASH = 2,  // the hash is in the last 8 bytes
  TNI_FLAG_EPH_KEY = 4,   // ephemerons wait for it (during a collection)
  TNI_FLAG_LARGE = 8,     // in the large space: never moves
} tni_gc_flag;

#define TNI_LOG_OBJECT  1u  // log the object once
#define TNI_LOG_SLOTS   2u  // log each card of it

#define TNI_FLAGS_SHIFT 48u
#define TNI_LOG_SHIFT   56u
#define TNI_TYPE_MASK   (((uint64_t)1 << TNI_FLAGS_SHIFT) - 1)
#define TNI_FORWARDED   1u

/* How the references of a type are found. */
typedef enum tni_shape {
  TNI_LEAF,
  TNI_MAP,        // map of the fixed part
  TNI_OFFSETS,    // list of offsets
  TNI_ARRAY,      // map of the fixed part, map of each element
  TNI_FUNCTION,   // the user's
  TNI_AMBIGUOUS,  // map, and a map of words that may be references
  TNI_WEAK,
  TNI_EPHEMERON,
} tni_shape;

typedef struct tni_type tni_type;
struct tni_type {
  tn_type public;           // const, first
  size_t bytes;             // const: of an object without elements, with header
  uint32_t plain;           // const: the same if map says all; 0: it does not
  tni_shape shape;          // const
  uint64_t map;             // const
  size_t element_size;      // const: 0 when it has none
  size_t count_offset;      // const
  uint64_t element_map;     // const
  uint64_t ambiguous;       // const
  const uint32_t *offsets;  // const
  uint32_t offset_count;    // const
  tn_trace_fn *trace;       // const
  tni_type *next;           // heap's list; lock: heap
};
_Static_assert(offsetof(tni_type, public) == 0, "a tn_type is its beginning");

static inline uint64_t *
tni_header(const void *object)
{
  const union {
    const void *object;
    uint64_t *word;
  } at = {object};
  return at.word - 1;
}

static inline const tni_type *
tni_word_type(uint64_t header)
{
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the one place that unpacks it
  return (const tni_type *)(uintptr_t)(header & TNI_TYPE_MASK);
}

static inline unsigned
tni_word_flags(uint64_t header)
{
  return (unsigned)(header >> TNI_FLAGS_SHIFT) & 0xffu;
}

static inline const tni_type *
tni_type_of(const void *object)
{
  return tni_word_type(*tni_header(object));
}

static inline unsigned char *
tni_flags(void *object)
{
  return (unsigned char *)object - 2;
}

static inline unsigned char *
tni_logged(void *object)
{
  return (unsigned char *)object - 1;
}

static inline void
tni_set_flag(void *object, tni_gc_flag flag)
{
  (void)__atomic_fetch_or(tni_flags(object), (unsigned char)flag,
                          __ATOMIC_RELAXED);
}

static inline void
tni_clear_flag(void *object, tni_gc_flag flag)
{
  (void)__atomic_fetch_and(tni_flags(object), (unsigned char)~(unsigned)flag,
                           __ATOMIC_RELAXED);
}

static inline size_t
tni_count(const tni_type *type, const void *object)
{
  size_t count;
  memcpy(&count, (const unsigned char *)object + type->count_offset,
         sizeof count);
  return count;
}

/* tni_word_bytes of an object with elements or a hash. */
static __attribute__((noinline, unused)) size_t
tni_word_bytes_rare(uint64_t header, const void *object)
{
  const tni_type *const type = tni_word_type(header);
  size_t bytes = type->bytes;
  if (type->element_size != 0)
    bytes = tni_round_up(TN_GC_HEADER + type->public.size +
                             tni_count(type, object) * type->element_size,
                         TN_GC_GRANULE);
  bytes = tni_max(bytes, 2 * TN_GC_GRANULE);
  return tni_word_flags(header) & TNI_FLAG_HAS_HASH ? bytes + sizeof(uint64_t)
                                                    : bytes;
}

/* Bytes of an object with its header, whose header word is given. */
static inline size_t
tni_word_bytes(uint64_t header, const void *object)
{
  const tni_type *const type = tni_word_type(header);
  return TN_LIKELY(!(tni_word_flags(header) & TNI_FLAG_HAS_HASH) &&
                   type->element_size == 0)
             ? type->bytes
             : tni_word_bytes_rare(header, object);
}

/* The type of the usual object, NULL for others: it has no flags, is not logged,
 * and type->plain bytes long, its references in type->map. */
static inline const tni_type *
tni_plain_type(uint64_t header)
{
  if (TN_UNLIKELY(header >> TNI_FLAGS_SHIFT != 0))
    return NULL;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): nothing is packed in it
  const tni_type *const type = (const tni_type *)(uintptr_t)header;
  return TN_LIKELY(type->plain != 0) ? type : NULL;
}

static inline size_t
tni_bytes(const void *object)
{
  return tni_word_bytes(*tni_header(object), object);
}

/* ---- Forwarding ---- */

static inline bool
tni_is_forwarded(uint64_t header)
{
  return (header & TNI_FORWARDED) != 0;
}

static inline void *
tni_forward_address(uint64_t header)
{
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the one place that unpacks it
  return (void *)(uintptr_t)(header & ~(uint64_t)TNI_FORWARDED);
}

/* The hash of an object that lies at address: its bits mixed (the finaliser of
 * splitmix64, Steele, Lea, Flood 2014). */
static inline uint64_t
tni_address_hash(const void *object)
{
  uint64_t z = tni_address(object) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Bytes that a copy needs: 8 more when the hash has to be kept. */
static inline size_t
tni_copy_bytes(uint64_t header, size_t bytes)
{
  return TN_UNLIKELY((tni_word_flags(header) &
                      (TNI_FLAG_HASHED | TNI_FLAG_HAS_HASH)) == TNI_FLAG_HASHED)
             ? bytes + sizeof(uint64_t)
             : bytes;
}

/* Keep the hash of an object that moves behind its copy; the copy's flags. */
static __attribute__((noinline, unused)) uint64_t
tni_move_hash(const void *object, uint64_t header, size_t bytes, uint64_t *to)
{
  if (tni_copy_bytes(header, bytes) == bytes)
    return header;
  to[bytes / sizeof(uint64_t) - 1] = tni_address_hash(object);
  return header | (uint64_t)TNI_FLAG_HAS_HASH << TNI_FLAGS_SHIFT;
}

/* Copy the words of an object of bytes bytes, without its header. */
static inline void
tni_copy_words(void *to, const void *object, size_t bytes)
{
  const uint64_t *const from_word = object;
  uint64_t *const to_word = to;
  const size_t words = bytes / sizeof(uint64_t) - 1;
  to_word[0] = from_word[0];
  for (size_t i = words & 1; i < words; i += 2)
    memcpy(&to_word[i], &from_word[i], 2 * sizeof(uint64_t));
}

/* tni_move of an object that has a tni_plain_type. */
static inline void
tni_move_plain(void *object, uint64_t header, size_t bytes, void *to,
               unsigned logged)
{
  tni_copy_words(to, object, bytes);
  *tni_header(to) = header | (uint64_t)logged << TNI_LOG_SHIFT;
  *tni_header(object) = tni_address(to) | TNI_FORWARDED;
}

/* Move an object of bytes bytes to to (which has tni_copy_bytes), and leave
 * the forwarding address.  logged is the logged byte that the copy gets. */
static inline void
tni_move(void *object, uint64_t header, size_t bytes, void *to, unsigned logged)
{
  uint64_t kept = header;
  tni_copy_words(to, object, bytes);
  if (TN_UNLIKELY(tni_word_flags(header) & TNI_FLAG_HASHED))
    kept = tni_move_hash(object, header, bytes, to);
  kept &= ~((uint64_t)0xff << TNI_LOG_SHIFT);
  *tni_header(to) = kept | (uint64_t)logged << TNI_LOG_SHIFT;
  *tni_header(object) = tni_address(to) | TNI_FORWARDED;
}

#endif
