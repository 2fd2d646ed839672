/* store.h -- memory, texts and tables of the offline tools
 *
 * Growable arrays, texts kept once, and a hash table from two words to a
 * number.  For a command that has nothing better to do without memory than to
 * say so and end: no function here fails.
 *
 * Invariants
 *   [store.map]  a key is in the table once; at most 3 of 4 slots are taken.
 * Threads   one.
 * Failure   one line on standard error and exit status 1.
 * Tests     test/trace/test_store.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_STORE_H
#define TNI_TRACE_STORE_H

#include "base/base.h"

/* count * size zeroed bytes, for free(). */
void *tni_store_get(size_t count, size_t size);

/* Make room for at least need elements of size bytes in the array p, which has
 * room for *capacity; what is new is zeroed.  Doubles. */
void *tni_store_grow_more(void *p, size_t *capacity, size_t need, size_t size);
TN_INLINE void *
tni_store_grow(void *p, size_t *capacity, size_t need, size_t size)
{
  return need <= *capacity ? p : tni_store_grow_more(p, capacity, need, size);
}

/* ---- Texts --------------------------------------------------------------- */

typedef struct tni_texts {
  char *chunk;
  size_t used, room;
  void *chunks;  // the first word of each is the next
  char **table;  // open addressing; equal texts are one pointer
  size_t count, capacity;
} tni_texts;

void tni_texts_fini(tni_texts *texts);

/* A number that no other text has, but by a rare chance. */
uint64_t tni_texts_hash(const char *text);

/* The one copy of text. */
const char *tni_texts_keep(tni_texts *texts, const char *text);

/* ---- Tables -------------------------------------------------------------- */

typedef struct tni_map_slot {
  uint64_t a, b;
  uint32_t value;
  uint32_t is_used;
} tni_map_slot;

typedef struct tni_map {
  tni_map_slot *slots;
  size_t count, capacity;
} tni_map;

void tni_map_fini(tni_map *map);

/* Where the value of (a, b) is; NULL: not in the table. */
uint32_t *tni_map_find(const tni_map *map, uint64_t a, uint64_t b);

/* The same, entered with value 0 when new; *is_new says so. */
uint32_t *tni_map_enter(tni_map *map, uint64_t a, uint64_t b, bool *is_new);

/* Take (a, b) out; false when it was not there. */
bool tni_map_remove(tni_map *map, uint64_t a, uint64_t b);

#endif
