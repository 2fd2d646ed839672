/* read_memory.c -- vectors, maps and texts of the reader; see read.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/mman.h>

#include "trace/read.h"

enum {
  READ_LEAST = 4096,
  READ_TEXT_BLOCK = 1 << 16,
};

typedef struct read_text {
  char *block;
  size_t used;
  size_t size;
} read_text;

void *
tni_read_pages(size_t size)
{
  void *const p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

void
tni_read_unpages(void *p, size_t size)
{
  if (p != NULL)
    (void)munmap(p, size);
}

void *
tni_read_push(read_list *list, size_t size)
{
  if (list->count == list->room) {
    const size_t old = list->room * size;
    const size_t bytes = old ? old * 2 : size > READ_LEAST ? size : READ_LEAST;
    void *const p = old ? mremap(list->items, old, bytes, MREMAP_MAYMOVE)
                        : tni_read_pages(bytes);
    if (p == NULL || p == MAP_FAILED)
      return NULL;
    list->items = p;
    list->room = bytes / size;
  }
  return (char *)list->items + list->count++ * size;
}

void
tni_read_drop(read_list *list, size_t size)
{
  tni_read_unpages(list->items, list->room * size);
  *list = (read_list){0};
}

/* ---- Maps ------------------------------------------------------------------ */

static size_t
read_map_slot(const read_map *map, uint64_t a, uint64_t b)
{
  uint64_t h = (a ^ (b + 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
  h ^= h >> 32;
  h *= 0xc4ceb9fe1a85ec53u;
  size_t i = (size_t)(h >> 20) & (map->room - 1);
  while (map->entries[i].value != 0 &&
         (map->entries[i].a != a || map->entries[i].b != b))
    i = (i + 1) & (map->room - 1);
  return i;
}

static bool
read_map_grow(read_map *map)
{
  read_map wider = {.room = map->room ? map->room * 2 : 1024,
                    .count = map->count};
  wider.entries = tni_read_pages(wider.room * sizeof *wider.entries);
  if (wider.entries == NULL)
    return false;
  for (size_t i = 0; i < map->room; i++)
    if (map->entries[i].value != 0)
      wider.entries[read_map_slot(&wider, map->entries[i].a,
                                  map->entries[i].b)] = map->entries[i];
  tni_read_unmap(map);
  *map = wider;
  return true;
}

uint32_t *
tni_read_find(read_map *map, uint64_t a, uint64_t b)
{
  if (map->count * 2 >= map->room && !read_map_grow(map))
    return NULL;
  struct read_entry *const e = &map->entries[read_map_slot(map, a, b)];
  if (e->value == 0) {
    e->a = a;
    e->b = b;
    map->count++;
  }
  return &e->value;
}

void
tni_read_unmap(read_map *map)
{
  tni_read_unpages(map->entries, map->room * sizeof *map->entries);
  *map = (read_map){0};
}

/* ---- Texts ----------------------------------------------------------------- */

char *
tni_read_text(tni_trace *t, const void *text, size_t size)
{
  read_text *last =
      t->texts.count ? READ_AT(&t->texts, read_text, t->texts.count - 1) : NULL;
  if (last == NULL || last->size - last->used <= size) {
    const size_t bytes =
        size < READ_TEXT_BLOCK / 4 ? READ_TEXT_BLOCK : size + 1;
    char *const block = tni_read_pages(bytes);
    last = block ? tni_read_push(&t->texts, sizeof *last) : NULL;
    if (last == NULL) {
      tni_read_unpages(block, bytes);
      return NULL;
    }
    *last = (read_text){block, 0, bytes};
  }
  char *const copy = last->block + last->used;
  memcpy(copy, text, size);
  copy[size] = '\0';
  last->used += size + 1;
  return copy;
}

void
tni_read_drop_texts(tni_trace *t)
{
  for (size_t i = 0; i < t->texts.count; i++) {
    read_text *const text = READ_AT(&t->texts, read_text, i);
    tni_read_unpages(text->block, text->size);
  }
  tni_read_drop(&t->texts, sizeof(read_text));
}
