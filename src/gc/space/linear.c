/* linear.c -- the code of linear.h */
#include "gc/space/linear.h"

uint32_t
tni_space_take(tn_gc *heap, tni_block_kind kind, bool *is_zero)
{
  const uint32_t block = tni_blocks_take(&heap->blocks, kind, is_zero);
  if (block != TNI_NO_BLOCK)
    (void)tni_add_relaxed(&heap->used, TNI_BLOCK_SIZE);
  return block;
}

void
tni_space_give(tn_gc *heap, uint32_t block)
{
  tni_blocks_give(&heap->blocks, block);
  (void)tni_sub_relaxed(&heap->used, TNI_BLOCK_SIZE);
}

bool
tni_linear_refill(tni_mutator *m, tni_block_kind kind)
{
  tn_gc *const heap = m->heap;
  bool is_zero;
  const uint32_t block = tni_space_take(heap, kind, &is_zero);
  if (block == TNI_NO_BLOCK)
    return false;
  unsigned char *const start = tni_block_start(&heap->blocks, block);
  if (!is_zero)
    memset(start, 0, TNI_BLOCK_SIZE);
  tni_piece_clear(m);
  tni_piece_set(m, start, start + TNI_BLOCK_SIZE);
  return true;
}

void
tni_linear_begin(tni_linear *to)
{
  *to = (tni_linear){.block = TNI_NO_BLOCK, .first = TNI_NO_BLOCK};
}

void
tni_linear_close(tni_linear *to)
{
  if (to->end - to->cursor >= (ptrdiff_t)TN_GC_HEADER)
    memset(to->cursor, 0, TN_GC_HEADER);  // [linear.end]
}

void *
tni_linear_take_slow(tn_gc *heap, tni_linear *to, size_t bytes)
{
  bool is_zero;
  const uint32_t block = tni_space_take(heap, TNI_BLOCK_LINEAR, &is_zero);
  if (block == TNI_NO_BLOCK)
    return NULL;
  tni_linear_close(to);
  if (to->block == TNI_NO_BLOCK) {
    to->first = block;
  } else {
    heap->blocks.info[to->block].next = block;
    heap->blocks.info[to->block].cell =
        (uint32_t)(to->cursor - tni_block_start(&heap->blocks, to->block));
    to->bytes += heap->blocks.info[to->block].cell;
  }
  to->block = block;
  unsigned char *const at = tni_block_start(&heap->blocks, block);
  to->cursor = at + bytes;
  to->end = at + TNI_BLOCK_SIZE;
  return at + TN_GC_HEADER;
}

uint64_t
tni_linear_bytes(const tn_gc *heap, const tni_linear *to)
{
  return to->block == TNI_NO_BLOCK
             ? 0
             : to->bytes +
                   (uint64_t)(to->cursor -
                              tni_block_start(&heap->blocks, to->block));
}

unsigned char *
tni_linear_end(const tn_gc *heap, const tni_linear *to, uint32_t block)
{
  return block == to->block ? to->cursor
                            : tni_block_start(&heap->blocks, block) +
                                  heap->blocks.info[block].cell;
}

void
tni_linear_turn(tn_gc *heap, tni_block_kind from, tni_block_kind to)
{
  for (uint32_t b = 0; b < heap->blocks.high; b++)
    if (heap->blocks.kind[b] == from)
      heap->blocks.kind[b] = (unsigned char)to;
}

void
tni_linear_free(tn_gc *heap, tni_block_kind kind)
{
  for (uint32_t b = heap->blocks.high; b-- > 0;)
    if (heap->blocks.kind[b] == kind)
      tni_space_give(heap, b);
}

bool
tni_linear_walk(tn_gc *heap, tni_block_kind kind, tn_walk_fn *fn,
                void *argument)
{
  for (uint32_t b = 0; b < heap->blocks.high; b++) {
    unsigned char *const start = tni_block_start(&heap->blocks, b);
    if (heap->blocks.kind[b] == kind &&
        !tni_walk_run(start, start + TNI_BLOCK_SIZE, fn, argument))
      return false;
  }
  return true;
}
