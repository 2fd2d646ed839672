/* store.c -- memory, texts and tables of the offline tools; see store.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
store_require(void *p)
{
  if (p == NULL) {
    fputs("tenure: out of memory\n", stderr);
    exit(1);
  }
  return p;
}

void *
tni_store_get(size_t count, size_t size)
{
  return store_require(calloc(count ? count : 1, size));
}

void *
tni_store_grow_more(void *p, size_t *capacity, size_t need, size_t size)
{
  size_t room = *capacity ? *capacity : 16;
  while (room < need)
    room *= 2;
  size_t bytes;
  if (room < need || !tn_size_mul(room, size, &bytes))
    return store_require(NULL);
  unsigned char *const grown = store_require(realloc(p, bytes));
  memset(grown + *capacity * size, 0, bytes - *capacity * size);
  *capacity = room;
  return grown;
}

/* ---- Texts --------------------------------------------------------------- */

static uint64_t
store_mix(uint64_t h)
{
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

uint64_t
tni_texts_hash(const char *text)
{
  uint64_t h = 0xcbf29ce484222325u;  // FNV-1a
  for (; *text; text++)
    h = (h ^ (unsigned char)*text) * 0x100000001b3u;
  return store_mix(h);
}

static char **
store_text_slot(char **table, size_t capacity, const char *text)
{
  size_t i = (size_t)tni_texts_hash(text) & (capacity - 1);
  while (table[i] && strcmp(table[i], text) != 0)
    i = (i + 1) & (capacity - 1);
  return &table[i];
}

static void
store_rehash_texts(tni_texts *texts)
{
  const size_t capacity = texts->capacity ? texts->capacity * 2 : 256;
  char **const table = tni_store_get(capacity, sizeof *table);
  for (size_t i = 0; i < texts->capacity; i++)
    if (texts->table[i])
      *store_text_slot(table, capacity, texts->table[i]) = texts->table[i];
  free(texts->table);
  texts->table = table;
  texts->capacity = capacity;
}

static char *
store_text_room(tni_texts *texts, size_t length)
{
  if (texts->room - texts->used < length) {
    const size_t room = length > 65536 ? length : 65536;
    void **const chunk = tni_store_get(1, sizeof(void *) + room);
    *chunk = texts->chunks;
    texts->chunks = chunk;
    texts->chunk = (char *)(chunk + 1);
    texts->room = room;
    texts->used = 0;
  }
  char *const at = texts->chunk + texts->used;
  texts->used += length;
  return at;
}

const char *
tni_texts_keep(tni_texts *texts, const char *text)
{
  if (texts->count * 2 >= texts->capacity)
    store_rehash_texts(texts);
  char **const slot = store_text_slot(texts->table, texts->capacity, text);
  if (*slot == NULL) {
    const size_t length = strlen(text) + 1;
    *slot = memcpy(store_text_room(texts, length), text, length);
    texts->count++;
  }
  return *slot;
}

void
tni_texts_fini(tni_texts *texts)
{
  for (void **chunk = texts->chunks; chunk;) {
    void **const next = *chunk;
    free(chunk);
    chunk = next;
  }
  free(texts->table);
  *texts = (tni_texts){0};
}

/* ---- Tables -------------------------------------------------------------- */

static size_t
store_map_home(const tni_map *map, uint64_t a, uint64_t b)
{
  return (size_t)store_mix(store_mix(a) + b * 0xff51afd7ed558ccdu) &
         (map->capacity - 1);
}

static size_t
store_map_probe(const tni_map *map, uint64_t a, uint64_t b)
{
  size_t i = store_map_home(map, a, b);
  while (map->slots[i].is_used &&
         (map->slots[i].a != a || map->slots[i].b != b))
    i = (i + 1) & (map->capacity - 1);
  return i;
}

static void
store_rehash_map(tni_map *map)
{
  const tni_map old = *map;
  map->capacity = old.capacity ? old.capacity * 2 : 64;
  map->slots = tni_store_get(map->capacity, sizeof *map->slots);
  for (size_t i = 0; i < old.capacity; i++)
    if (old.slots[i].is_used)
      map->slots[store_map_probe(map, old.slots[i].a, old.slots[i].b)] =
          old.slots[i];
  free(old.slots);
}

uint32_t *
tni_map_find(const tni_map *map, uint64_t a, uint64_t b)
{
  if (map->count == 0)
    return NULL;
  tni_map_slot *const slot = &map->slots[store_map_probe(map, a, b)];
  return slot->is_used ? &slot->value : NULL;
}

uint32_t *
tni_map_enter(tni_map *map, uint64_t a, uint64_t b, bool *is_new)
{
  if ((map->count + 1) * 4 > map->capacity * 3)
    store_rehash_map(map);
  TN_CHECK(map->count < map->capacity, "store.map");
  tni_map_slot *const slot = &map->slots[store_map_probe(map, a, b)];
  const bool was_new = !slot->is_used;
  if (was_new) {
    *slot = (tni_map_slot){a, b, 0, 1};
    map->count++;
  }
  if (is_new)
    *is_new = was_new;
  return &slot->value;
}

/* Knuth's algorithm R (6.4): what follows moves back, so there are no
 * tombstones and look-ups stay short however long the trace is. */
bool
tni_map_remove(tni_map *map, uint64_t a, uint64_t b)
{
  if (map->count == 0)
    return false;
  size_t hole = store_map_probe(map, a, b);
  if (!map->slots[hole].is_used)
    return false;
  const size_t mask = map->capacity - 1;
  for (size_t i = (hole + 1) & mask; map->slots[i].is_used;
       i = (i + 1) & mask) {
    const size_t home = store_map_home(map, map->slots[i].a, map->slots[i].b);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      map->slots[hole] = map->slots[i];
      hole = i;
    }
  }
  map->slots[hole].is_used = 0;
  map->count--;
  return true;
}

void
tni_map_fini(tni_map *map)
{
  free(map->slots);
  *map = (tni_map){0};
}
