/* heapmap.c -- how full slices of memory are; see heapmap.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/heapmap.h"

#include <stdlib.h>
#include <string.h>

enum { HEAPMAP_SHIFT = 12 };

void
tni_heapmap_init(tni_heapmap *map)
{
  *map = (tni_heapmap){.shift = HEAPMAP_SHIFT};
}

void
tni_heapmap_fini(tni_heapmap *map)
{
  free(map->rows);
  tni_map_fini(&map->by_slice);
}

static int
heapmap_compare(const void *left, const void *right)
{
  const tni_heapmap_row *const a = left, *const b = right;
  if (a->process != b->process)
    return a->process < b->process ? -1 : 1;
  return a->slice < b->slice ? -1 : a->slice > b->slice;
}

static void
heapmap_index(tni_heapmap *map)
{
  tni_map_fini(&map->by_slice);
  for (size_t i = 0; i < map->count; i++)
    *tni_map_enter(&map->by_slice, map->rows[i].slice, map->rows[i].process,
                   NULL) = (uint32_t)i;
}

/* Make slices twice as large: pairs of rows become one, half as full. */
static void
heapmap_widen(tni_heapmap *map)
{
  qsort(map->rows, map->count, sizeof *map->rows, heapmap_compare);
  size_t kept = 0;
  for (size_t i = 0; i < map->count; i++) {
    tni_heapmap_row row = map->rows[i];
    row.slice >>= 1;
    for (size_t c = 0; c < TNI_HEAPMAP_COLUMNS; c++)
      row.fill[c] = (uint8_t)((row.fill[c] + 1) / 2);
    tni_heapmap_row *const last = kept ? &map->rows[kept - 1] : NULL;
    if (last && heapmap_compare(last, &row) == 0) {
      last->bytes += row.bytes;
      for (size_t c = 0; c < TNI_HEAPMAP_COLUMNS; c++) {
        const unsigned sum = (unsigned)last->fill[c] + row.fill[c];
        last->fill[c] = (uint8_t)(sum > 255 ? 255 : sum);
      }
    } else {
      map->rows[kept++] = row;
    }
  }
  map->count = kept;
  map->shift++;
  heapmap_index(map);
}

static tni_heapmap_row *
heapmap_row(tni_heapmap *map, uint32_t process, uint64_t slice)
{
  uint32_t *const last = &map->last[slice % 64];
  if (*last < map->count && map->rows[*last].slice == slice &&
      map->rows[*last].process == process)
    return &map->rows[*last];
  bool is_new;
  uint32_t *const at = tni_map_enter(&map->by_slice, slice, process, &is_new);
  if (is_new) {
    map->rows = tni_store_grow(map->rows, &map->room, map->count + 1,
                               sizeof *map->rows);
    *at = (uint32_t)map->count;
    map->rows[map->count] =
        (tni_heapmap_row){.process = process, .slice = slice};
    map->count++;
  }
  *last = *at;
  return &map->rows[*at];
}

void
tni_heapmap_change(tni_heapmap *map, uint32_t process, uint64_t address,
                   uint64_t size, bool is_used)
{
  if (size == 0 || address + size < address)
    return;
  /* A block of very many slices: it alone makes them larger. */
  while ((size >> map->shift) > TNI_HEAPMAP_ROWS / 4)
    heapmap_widen(map);
  uint64_t left = size;
  for (uint64_t at = address; left > 0;) {
    const uint64_t slice = at >> map->shift;
    const uint64_t room = ((slice + 1) << map->shift) - at;
    const uint64_t part = left < room ? left : room;
    tni_heapmap_row *const row = heapmap_row(map, process, slice);
    row->bytes += is_used ? part : (uint64_t)0 - part;
    at += part;
    left -= part;
  }
  while (map->count > TNI_HEAPMAP_ROWS && map->shift < 62)
    heapmap_widen(map);
}

void
tni_heapmap_column(tni_heapmap *map, uint32_t column)
{
  const uint64_t whole = (uint64_t)1 << map->shift;
  for (size_t i = 0; i < map->count; i++) {
    const uint64_t bytes = map->rows[i].bytes;
    const uint64_t fill =
        bytes >= whole ? 255 : (bytes * 255 + whole - 1) / whole;
    map->rows[i].fill[column] = (uint8_t)fill;
  }
}

void
tni_heapmap_sort(tni_heapmap *map)
{
  if (map->count > 1)
    qsort(map->rows, map->count, sizeof *map->rows, heapmap_compare);
  heapmap_index(map);
}

void
tni_heapmap_shrink(tni_heapmap *map, size_t rows)
{
  while (map->count > rows && map->shift < 62)
    heapmap_widen(map);
  tni_heapmap_sort(map);
}
