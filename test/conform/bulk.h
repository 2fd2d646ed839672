/* bulk.h -- several MiB that live, over many blocks, of many sizes
 *
 *   index (a tree of pairs) --leaves--> bushes and chains, each from a seed
 *
 * A part is a function of its seed: kinds, sizes, numbers.  Parts are replaced
 * at random; all are built again in thought and compared.  What goes wrong
 * where a collector passes from one block to the next shows here: copies that
 * nobody scanned, lines that were given away, objects cut off.
 * SPDX-License-Identifier: MIT
 */
#ifndef CONFORM_BULK_H
#define CONFORM_BULK_H

#include "conform/mutator.h"

#define BULK_LEVELS 8u   // of the index, at most
#define BULK_DEPTH  5u   // of a bush
#define BULK_LINKS  80u  // of a chain

typedef struct bulk {
  tn_mutator *m;
  types types;
  uint64_t random;
  uint64_t seed[1u << BULK_LEVELS];  // 0: refused, and the part is not there
  unsigned levels;                   // of the index
  tn_ref *index;                     // a root
  size_t refused;
} bulk;

static inline uint64_t
bulk_hash(uint64_t seed, uint64_t i)
{
  uint64_t x = seed * 31 + i;
  return test_random(&x) | 1;
}

/* What a seed says of an object: its kind, its count of elements. */
static inline kind
bulk_kind(uint64_t seed)
{
  return (kind)(seed / 2 % (KINDS - 1));
}

static inline size_t
bulk_count(uint64_t seed, kind k)
{
  const uint64_t dice = seed / 64 % 1000;
  if (k == TABLE)
    return dice < 8 ? 1100 + dice * 10 : 2 + dice % (dice < 100 ? 90 : 5);
  return dice < 8 ? 9000 + dice : dice % (dice < 100 ? 2000 : 60);
}

static inline size_t
bulk_slots(kind k)
{
  static const size_t slots[KINDS] = {2, 3, 2, 4, 0};
  return slots[k];
}

static inline tn_ref
bulk_new(bulk *b, uint64_t seed, kind k)
{
  tn_ref object;
  if (k == TABLE || k == BLOB)
    object = tn_gc_new_array(b->m, b->types.of[k], bulk_count(seed, k));
  else
    object = tn_gc_new(b->m, b->types.of[k]);
  if (!object.at)
    return object;
  *id_of(&b->types, object) = seed;
  if (k == TRACED)
    TN_AT(struct traced, object)->used = 4;
  if (k == BLOB)
    memset(TN_AT(struct blob, object)->byte, (int)(seed & 0xff),
           TN_AT(struct blob, object)->count);
  return object;
}

/* A bush: an object with bushes in its slots, blobs at the ends. */
static inline tn_ref
bulk_bush(bulk *b, uint64_t seed, unsigned depth)
{
  const kind k = depth == 0 ? BLOB : bulk_kind(seed);
  TN_ROOTS(b->m, r, object, child);
  r.object = bulk_new(b, seed, k);
  for (size_t i = 0; r.object.at && i < bulk_slots(k); i++) {
    r.child = bulk_bush(b, bulk_hash(seed, i), depth - 1);
    if (!r.child.at)
      return TN_REF_NULL;
    tn_gc_write(b->m, r.object, slot_of(&b->types, r.object, i), r.child);
  }
  return r.object;
}

/* A chain of pairs, each with a blob at its side. */
static inline tn_ref
bulk_chain(bulk *b, uint64_t seed)
{
  TN_ROOTS(b->m, r, list, link, blob);
  for (uint64_t i = 0; i < BULK_LINKS; i++) {
    r.link = bulk_new(b, bulk_hash(seed, 2 * i), PAIR);
    r.blob = bulk_new(b, bulk_hash(seed, 2 * i + 1), BLOB);
    if (!r.link.at || !r.blob.at)
      return TN_REF_NULL;
    tn_gc_write(b->m, r.link, slot_of(&b->types, r.link, 0), r.list);
    tn_gc_write(b->m, r.link, slot_of(&b->types, r.link, 1), r.blob);
    r.list = r.link;
  }
  return r.list;
}

static inline bool
bulk_is_chain(uint64_t seed)
{
  return seed / 2 % 3 == 0;
}

/* ---- Comparing ---------------------------------------------------------------- */

static inline bool
bulk_agrees(bulk *b, tn_ref object, uint64_t seed, kind k)
{
  if (!TEST(object.at != NULL) || !TEST(kind_of(&b->types, object) == k) ||
      !TEST(*id_of(&b->types, object) == seed))
    return false;
  if (k == TABLE)
    return TEST(TN_AT(struct table, object)->count == bulk_count(seed, k));
  if (k != BLOB)
    return true;
  const struct blob *const blob = TN_AT(struct blob, object);
  if (!TEST(blob->count == bulk_count(seed, k)))
    return false;
  bool same = true;
  for (size_t i = 0; i < blob->count; i++)
    same &= blob->byte[i] == (seed & 0xff);
  return TEST(same);
}

static inline bool
bulk_check_bush(bulk *b, tn_ref object, uint64_t seed, unsigned depth)
{
  const kind k = depth == 0 ? BLOB : bulk_kind(seed);
  if (!bulk_agrees(b, object, seed, k))
    return false;
  for (size_t i = 0; i < bulk_slots(k); i++)
    if (!bulk_check_bush(b, *slot_of(&b->types, object, i), bulk_hash(seed, i),
                         depth - 1))
      return false;
  return true;
}

static inline bool
bulk_check_chain(bulk *b, tn_ref link, uint64_t seed)
{
  for (uint64_t i = BULK_LINKS; i-- > 0;) {
    if (!bulk_agrees(b, link, bulk_hash(seed, 2 * i), PAIR) ||
        !bulk_agrees(b, TN_AT(struct pair, link)->slot[1],
                     bulk_hash(seed, 2 * i + 1), BLOB))
      return false;
    link = TN_AT(struct pair, link)->slot[0];
  }
  return TEST(link.at == NULL);
}

/* ---- The index ----------------------------------------------------------------- */

static inline size_t
bulk_parts(const bulk *b)
{
  return (size_t)1 << b->levels;
}

/* The pair above part i, and its slot of it. */
static inline tn_ref *
bulk_place(bulk *b, size_t i, tn_ref *above)
{
  *above = *b->index;
  for (unsigned level = b->levels; --level > 0;)
    *above = TN_AT(struct pair, *above)->slot[i >> level & 1];
  return &TN_AT(struct pair, *above)->slot[i & 1];
}

static inline void
bulk_compare(bulk *b)
{
  for (size_t i = 0; i < bulk_parts(b) && test_state.failures == 0; i++) {
    tn_ref above;
    const tn_ref part = *bulk_place(b, i, &above);
    if (b->seed[i] == 0)
      TEST(part.at == NULL);
    else if (bulk_is_chain(b->seed[i]))
      (void)bulk_check_chain(b, part, b->seed[i]);
    else
      (void)bulk_check_bush(b, part, b->seed[i], BULK_DEPTH);
  }
}

static inline tn_ref
bulk_index(bulk *b, unsigned levels)
{
  TN_ROOTS(b->m, r, pair, child);
  r.pair = bulk_new(b, levels, PAIR);
  for (size_t i = 0; i < 2 && levels > 1; i++) {
    r.child = bulk_index(b, levels - 1);
    tn_gc_write(b->m, r.pair, slot_of(&b->types, r.pair, i), r.child);
  }
  return r.pair;
}

/* Another part in place i: the old one goes first. */
static inline void
bulk_replace(bulk *b, size_t i)
{
  tn_ref above;
  tn_ref *place = bulk_place(b, i, &above);
  tn_gc_write(b->m, above, place, TN_REF_NULL);
  const uint64_t seed = test_random(&b->random) | 1;
  TN_ROOTS(b->m, r, part);
  r.part = bulk_is_chain(seed) ? bulk_chain(b, seed)
                               : bulk_bush(b, seed, BULK_DEPTH);
  b->seed[i] = r.part.at ? seed : 0;
  b->refused += !r.part.at;
  place = bulk_place(b, i, &above);
  tn_gc_write(b->m, above, place, r.part);
}

#endif
