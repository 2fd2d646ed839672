/* cells.h -- blocks of cells of one size, swept when they are allocated from
 *
 * A block belongs to a size class.  The mark bit of a cell says that it holds
 * an object: set when it is handed out and when it is reached; a collection
 * clears all and sets those it reaches.  Sweeping looks for runs of cells
 * without the bit, when a mutator needs them, and zeroes a run.
 *
 *   after marking: UNSWEPT list a class --taken by a mutator--> its own
 *
 * Invariants
 *   [cells.mark]   a cell holds an object exactly when its mark is set, between
 *                  collections.
 *   [cells.swept]  a block is allocated from after it was swept, once between
 *                  two collections.
 * Threads   the heap's lock for lists; a block taken by a mutator is its own.
 * Source    segregated fits with lazy sweeping: Hughes 1982; Boehm's collector.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_CELLS_H
#define TNI_GC_CELLS_H

#include "gc/core/core.h"

#define TNI_CLASSES 48u

/* A mutator's cells of one class. */
typedef struct tni_cell_run {
  unsigned char *cursor;
  unsigned char *end;
  uint32_t block;  // TNI_NO_BLOCK: none
  uint32_t next;   // the cell of it where sweeping goes on
} tni_cell_run;

typedef struct tni_cells_local {
  tni_cell_run run[TNI_CLASSES];
  size_t allocated;  // bytes since it retired
} tni_cells_local;

typedef struct tni_cells {
  uint32_t classes;
  uint32_t cell[TNI_CLASSES];     // bytes of one
  uint32_t unswept[TNI_CLASSES];  // lists
  uint8_t class_of[TN_GC_LARGE / TN_GC_GRANULE + 1];
} tni_cells;

void tni_cells_init(tni_cells *cells);
void tni_cells_attach(tni_cells_local *local);
/* An object's zeroed memory, NULL when no block is to be had. */
void *tni_cells_allocate(tn_gc *heap, tni_cells *cells, tni_cells_local *local,
                         size_t bytes);
/* The same from cells that are swept already; without the heap's lock. */
void *tni_cells_take(tn_gc *heap, const tni_cells *cells,
                     tni_cells_local *local, size_t bytes);
/* A mutator's blocks are nobody's; adds what it allocated to the figures. */
void tni_cells_retire(tn_gc *heap, tni_cells_local *local);
/* After marking: every block of cells waits to be swept, or is free when it
 * holds nothing. */
void tni_cells_unsweep(tn_gc *heap, tni_cells *cells);
bool tni_cells_walk(tn_gc *heap, tn_walk_fn *fn, void *argument);

#endif
