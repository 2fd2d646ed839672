/* linear.h -- blocks filled from their start, object after object
 *
 * Mutators bump through blocks that were zeroed; a collection copies into
 * blocks whose end it marks with a zero word.  What is in a block is found by
 * walking it from its start.
 *
 * Invariants
 *   [linear.end]  the objects of a linear block end at its end or at a zero
 *                 header.
 * Threads   the heap's lock.
 * Tests     test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_LINEAR_H
#define TNI_GC_LINEAR_H

#include "gc/core/core.h"

/* Copies go here; one collecting thread. */
typedef struct tni_linear {
  unsigned char *cursor;  // the next copy's header
  unsigned char *end;
  uint32_t block;  // being filled; TNI_NO_BLOCK at first
  uint32_t first;  // a list of those that were filled, through info.next
  uint64_t bytes;  // copied to blocks before this one
} tni_linear;

/* A block of a kind, counted in heap->used; TNI_NO_BLOCK when there is none. */
uint32_t tni_space_take(tn_gc *heap, tni_block_kind kind, bool *is_zero);
void tni_space_give(tn_gc *heap, uint32_t block);

/* Give m a piece that is a whole zeroed block; false: there is none. */
bool tni_linear_refill(tni_mutator *m, tni_block_kind kind);
void tni_linear_begin(tni_linear *to);
/* Memory for a copy's object (after its header); NULL: no block. */
TN_COLD void *tni_linear_take_slow(tn_gc *heap, tni_linear *to, size_t bytes);
void tni_linear_close(tni_linear *to);
/* Bytes that were copied. */
uint64_t tni_linear_bytes(const tn_gc *heap, const tni_linear *to);
/* The end of what was copied to block. */
unsigned char *tni_linear_end(const tn_gc *heap, const tni_linear *to,
                              uint32_t block);

static inline void *
tni_linear_take(tn_gc *heap, tni_linear *to, size_t bytes)
{
  unsigned char *const at = to->cursor;
  if (TN_UNLIKELY((size_t)(to->end - at) < bytes))
    return tni_linear_take_slow(heap, to, bytes);
  to->cursor = at + bytes;
  return at + TN_GC_HEADER;
}

/* All blocks of kind become another; give them all back; walk them. */
void tni_linear_turn(tn_gc *heap, tni_block_kind from, tni_block_kind to);
void tni_linear_free(tn_gc *heap, tni_block_kind kind);
bool tni_linear_walk(tn_gc *heap, tni_block_kind kind, tn_walk_fn *fn,
                     void *argument);

#endif
