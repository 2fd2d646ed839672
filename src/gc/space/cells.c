/* cells.c -- the code of cells.h */
#include "gc/space/cells.h"

#include "gc/space/linear.h"

#define CELLS_EXACT 128u  // every multiple of 8 up to here has a class

/* Sizes: 16, 24 ... 128, then four a doubling. */
void
tni_cells_init(tni_cells *cells)
{
  uint32_t n = 0;
  uint32_t granules = 2;
  for (uint32_t size = 16; size <= TN_GC_LARGE; n++) {
    cells->cell[n] = size;
    cells->unswept[n] = TNI_NO_BLOCK;
    for (; granules <= size / TN_GC_GRANULE; granules++)
      cells->class_of[granules] = (uint8_t)n;
    size += size < CELLS_EXACT ? (uint32_t)TN_GC_GRANULE
                               : ((uint32_t)1 << tni_log2_floor(size)) / 4;
  }
  cells->classes = n;
}

void
tni_cells_attach(tni_cells_local *local)
{
  local->allocated = 0;
  for (size_t i = 0; i < TNI_CLASSES; i++)
    local->run[i] = (tni_cell_run){.block = TNI_NO_BLOCK};
}

void
tni_cells_retire(tn_gc *heap, tni_cells_local *local)
{
  heap->stats.allocated_bytes += local->allocated;
  tni_cells_attach(local);
}

/* ---- Sweeping ---------------------------------------------------------------------- */

static bool
cells_is_used(const tni_blocks *blocks, const unsigned char *cell)
{
  return tni_is_marked(blocks, cell + TN_GC_HEADER);
}

/* The next run of free cells in the run's block; false: no more. */
static bool
cells_sweep(tn_gc *heap, tni_cell_run *run)
{
  if (run->block == TNI_NO_BLOCK)
    return false;
  const tni_blocks *const blocks = &heap->blocks;
  const uint32_t cell = blocks->info[run->block].cell;
  const uint32_t count = (uint32_t)(TNI_BLOCK_SIZE / cell);
  unsigned char *const start = tni_block_start(blocks, run->block);
  uint32_t i = run->next;
  while (i < count && cells_is_used(blocks, start + (size_t)i * cell))
    i++;
  const uint32_t first = i;
  const bool is_tiny = (heap->stress & TN_GC_STRESS_TINY) != 0;
  const uint32_t most = is_tiny && first < count ? first + 1 : count;
  while (i < most && !cells_is_used(blocks, start + (size_t)i * cell))
    i++;
  run->next = i;
  run->cursor = start + (size_t)first * cell;
  run->end = start + (size_t)i * cell;
  memset(run->cursor, 0, (size_t)(run->end - run->cursor));
  return first < i;
}

static bool
cells_is_empty(const tni_blocks *blocks, uint32_t block)
{
  const uint64_t *const marks = tni_block_marks(blocks, block);
  uint64_t any = 0;
  for (uint32_t w = 0; w < TNI_BLOCK_WORDS; w++)
    any |= marks[w];
  return any == 0;
}

/* Another block for a run of class c: unswept, or free; false: none. */
static bool
cells_take_block(tn_gc *heap, tni_cells *cells, uint32_t c, tni_cell_run *run)
{
  uint32_t block = cells->unswept[c];
  if (block != TNI_NO_BLOCK) {
    cells->unswept[c] = heap->blocks.info[block].next;
    heap->stats.swept_blocks++;
  } else {
    if (!tni_has_room(heap, TNI_BLOCK_SIZE))
      return false;
    bool is_zero;
    block = tni_space_take(heap, TNI_BLOCK_CELLS, &is_zero);
    if (block == TNI_NO_BLOCK)
      return false;
    heap->blocks.info[block].cell = cells->cell[c];
  }
  *run = (tni_cell_run){.block = block};  // [cells.swept]
  return true;
}

void *
tni_cells_take(tn_gc *heap, const tni_cells *cells, tni_cells_local *local,
               size_t bytes)
{
  const uint32_t c = cells->class_of[bytes / TN_GC_GRANULE];
  tni_cell_run *const run = &local->run[c];
  if (run->cursor == run->end)
    return NULL;
  unsigned char *const object = run->cursor + TN_GC_HEADER;
  run->cursor += cells->cell[c];
  (void)tni_mark(&heap->blocks, object);  // [cells.mark]
  local->allocated += bytes;
  return object;
}

void *
tni_cells_allocate(tn_gc *heap, tni_cells *cells, tni_cells_local *local,
                   size_t bytes)
{
  const uint32_t c = cells->class_of[bytes / TN_GC_GRANULE];
  tni_cell_run *const run = &local->run[c];
  while (run->cursor == run->end && !cells_sweep(heap, run))
    if (!cells_take_block(heap, cells, c, run))
      return NULL;
  return tni_cells_take(heap, cells, local, bytes);
}

void
tni_cells_unsweep(tn_gc *heap, tni_cells *cells)
{
  tni_blocks *const blocks = &heap->blocks;
  for (uint32_t c = 0; c < cells->classes; c++)
    cells->unswept[c] = TNI_NO_BLOCK;
  for (uint32_t b = blocks->high; b-- > 0;) {
    if (blocks->kind[b] != TNI_BLOCK_CELLS)
      continue;
    if (cells_is_empty(blocks, b)) {
      tni_space_give(heap, b);
      continue;
    }
    const uint32_t c = cells->class_of[blocks->info[b].cell / TN_GC_GRANULE];
    blocks->info[b].next = cells->unswept[c];
    cells->unswept[c] = b;
  }
}

bool
tni_cells_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  for (uint32_t b = 0; b < heap->blocks.high; b++)
    if (heap->blocks.kind[b] == TNI_BLOCK_CELLS &&
        !tni_walk_marked(&heap->blocks, b, fn, argument))
      return false;
  return true;
}
