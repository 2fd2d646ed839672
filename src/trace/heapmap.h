/* heapmap.h -- which part of each slice of memory is used, over time
 *
 *     slice (address)   one row; 4 KiB at first, doubled when there are many
 *     bucket (time)     one column
 *
 * Threads   one.
 * Cost      O(slices of the block) an event, O(slices) a bucket.
 * Tests     test/trace/test_heapmap.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_HEAPMAP_H
#define TNI_TRACE_HEAPMAP_H

#include "trace/store.h"

enum { TNI_HEAPMAP_ROWS = 2048, TNI_HEAPMAP_COLUMNS = 480 };

typedef struct tni_heapmap_row {
  uint32_t process;
  uint64_t slice;                     // address >> shift
  uint64_t bytes;                     // used now
  uint8_t fill[TNI_HEAPMAP_COLUMNS];  // 0 none .. 255 all of it
} tni_heapmap_row;

typedef struct tni_heapmap {
  tni_heapmap_row *rows;
  size_t count, room;
  tni_map by_slice;
  uint32_t last[64];  // rows, by slice modulo 64: of a row that was used last
  unsigned shift;
} tni_heapmap;

void tni_heapmap_init(tni_heapmap *map);
void tni_heapmap_fini(tni_heapmap *map);

/* size bytes at address become used, or unused. */
void tni_heapmap_change(tni_heapmap *map, uint32_t process, uint64_t address,
                        uint64_t size, bool is_used);

/* Note how full each slice is in a column. */
void tni_heapmap_column(tni_heapmap *map, uint32_t column);

/* Put the rows in order of process and address. */
void tni_heapmap_sort(tni_heapmap *map);

/* Make slices larger until there are at most `rows`, or one each process; in
 * order. */
void tni_heapmap_shrink(tni_heapmap *map, size_t rows);

#endif
