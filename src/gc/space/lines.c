/* lines.c -- the code of lines.h */
#include "gc/space/lines.h"

#include "gc/space/linear.h"

/* A block is worth a search for holes from this many free lines on. */
#define LINES_WORTH 1u
/* Evacuate when more than one line in LINES_LOOSE of the used ones is free. */
#define LINES_LOOSE 4u

void
tni_lines_init(tni_lines *lines)
{
  *lines = (tni_lines){.recyclable = TNI_NO_BLOCK, .checks_room = true};
}

void
tni_holes_init(tni_holes *holes)
{
  *holes = (tni_holes){{.block = TNI_NO_BLOCK}, {.block = TNI_NO_BLOCK}};
}

/* ---- Holes ------------------------------------------------------------------------- */

/* The next run of free lines in the hole's block from its line on. */
static bool
lines_find_run(const tn_gc *heap, tni_hole *hole, size_t bytes, uint32_t *first)
{
  if (hole->block == TNI_NO_BLOCK)
    return false;
  const unsigned char *const line = tni_block_lines(&heap->blocks, hole->block);
  uint32_t i = hole->line;
  while (i < TNI_BLOCK_LINES) {
    while (i < TNI_BLOCK_LINES && line[i] != TNI_LINE_FREE)
      i++;
    *first = i;
    while (i < TNI_BLOCK_LINES && line[i] == TNI_LINE_FREE)
      i++;
    if ((size_t)(i - *first) << TNI_LINE_LOG2 >= bytes && i > *first) {
      hole->line = i;
      return true;
    }
  }
  hole->line = i;
  return false;
}

static bool
lines_take_free(tn_gc *heap, tni_lines *lines, tni_hole *hole)
{
  if (lines->checks_room ? !tni_has_room(heap, TNI_BLOCK_SIZE)
                         : lines->spare == 0)
    return false;
  bool is_zero;
  const uint32_t block = tni_space_take(heap, TNI_BLOCK_LINES_USED, &is_zero);
  if (block == TNI_NO_BLOCK)
    return false;
  lines->spare -= !lines->checks_room;
  hole->block = block;
  hole->line = 0;
  return true;
}

/* Another block to look for holes in. */
static bool
lines_next_block(tn_gc *heap, tni_lines *lines, tni_hole *hole, bool only_free)
{
  const uint32_t block = lines->recyclable;
  if (only_free || block == TNI_NO_BLOCK)
    return lines_take_free(heap, lines, hole);
  lines->recyclable = heap->blocks.info[block].next;
  heap->blocks.info[block].is_listed = 0;
  hole->block = block;
  hole->line = 0;
  return true;
}

bool
tni_hole_next(tn_gc *heap, tni_lines *lines, tni_hole *hole, size_t bytes,
              bool only_free, bool clean)
{
  uint32_t first;
  tni_hole_close(heap, hole);
  while (!lines_find_run(heap, hole, bytes, &first))
    if (!lines_next_block(heap, lines, hole, only_free))
      return false;
  unsigned char *const line = tni_block_lines(&heap->blocks, hole->block);
  if (heap->stress & TN_GC_STRESS_TINY)  // no more lines than are needed
    hole->line =
        first + (uint32_t)((bytes + TNI_LINE_SIZE - 1) >> TNI_LINE_LOG2);
  unsigned char *const start = tni_block_start(&heap->blocks, hole->block);
  hole->start = start + ((size_t)first << TNI_LINE_LOG2);
  hole->end = start + ((size_t)hole->line << TNI_LINE_LOG2);
  hole->cursor = hole->start;
  line[first] = TNI_LINE_RUN_START;  // [lines.hole]
  memset(line + first + 1, TNI_LINE_RUN, hole->line - first - 1);
  if (clean)
    memset(hole->start, 0, (size_t)(hole->end - hole->start));
  return true;
}

void
tni_hole_close(tn_gc *heap, tni_hole *hole)
{
  if (!hole->cursor)
    return;
  unsigned char *const block = tni_block_start(&heap->blocks, hole->block);
  unsigned char *const line = tni_block_lines(&heap->blocks, hole->block);
  const size_t used = (size_t)(hole->cursor - block);
  const size_t first = (used + TNI_LINE_SIZE - 1) >> TNI_LINE_LOG2;
  const size_t end = (size_t)(hole->end - block) >> TNI_LINE_LOG2;
  if (used & (TNI_LINE_SIZE - 1))
    memset(hole->cursor, 0, TN_GC_HEADER);  // [lines.run]
  memset(line + first, TNI_LINE_FREE, end - first);
  hole->start = hole->cursor = hole->end = NULL;
}

/* ---- Mutators ------------------------------------------------------------------------ */

/* The small hole's cursor is where the mutator's is. */
static void
lines_catch_up(tni_mutator *m, tni_hole *hole)
{
  if (m->end && hole->start)
    hole->cursor = m->public.cursor - TN_GC_HEADER;
  tni_piece_clear(m);
}

void *
tni_lines_allocate(tni_mutator *m, tni_lines *lines, tni_holes *holes,
                   size_t bytes)
{
  tn_gc *const heap = m->heap;
  if (bytes > TNI_LINE_SIZE) {
    heap->stats.allocated_bytes += bytes;
    void *const object = tni_hole_take(&holes->medium, bytes);
    if (object)
      return object;
    if (tni_hole_next(heap, lines, &holes->medium, bytes, true, true))
      return tni_hole_take(&holes->medium, bytes);
  }
  lines_catch_up(m, &holes->small);
  if (!tni_hole_next(heap, lines, &holes->small, bytes, false, true))
    return NULL;
  tni_piece_set(m, holes->small.start, holes->small.end);
  return tni_piece_take(m, bytes);
}

void
tni_lines_retire(tni_mutator *m, tni_holes *holes)
{
  lines_catch_up(m, &holes->small);
  tni_hole_close(m->heap, &holes->small);
  tni_hole_close(m->heap, &holes->medium);
  tni_holes_init(holes);
}

/* ---- Collecting ------------------------------------------------------------------------ */

void *
tni_lines_copy_slow(tn_gc *heap, tni_lines *lines, tni_hole *hole, size_t bytes)
{
  return tni_hole_next(heap, lines, hole, bytes, !lines->copies_anywhere, false)
             ? tni_hole_take(hole, bytes)
             : NULL;
}

static bool
lines_note_start(void *argument, tn_ref object)
{
  const tni_blocks *const blocks = argument;
  tni_set_bit(blocks, blocks->mark, object.at);
  return true;
}

static bool
lines_is_ours(const tni_blocks *blocks, uint32_t b)
{
  return blocks->kind[b] == TNI_BLOCK_LINES_USED ||
         blocks->kind[b] == TNI_BLOCK_LINES_FROM;
}

static bool lines_walk_runs(tn_gc *heap, uint32_t block, tn_walk_fn *fn,
                            void *argument);

void
tni_lines_prepare(tn_gc *heap, tni_lines *lines, bool resolves)
{
  tni_blocks *const blocks = &heap->blocks;
  for (uint32_t b = 0; b < blocks->high; b++) {
    if (!lines_is_ours(blocks, b))
      continue;
    if (resolves)
      (void)lines_walk_runs(heap, b, lines_note_start, blocks);
    memset(tni_block_lines(blocks, b), TNI_LINE_FREE, TNI_BLOCK_LINES);
    blocks->info[b].is_listed = 0;
  }
  lines->recyclable = TNI_NO_BLOCK;
  tni_blocks_clear_marks(blocks);
}

/* Blocks by how many lines were live at the last full collection. */
static void
lines_histogram(const tn_gc *heap, uint32_t *blocks_of, uint32_t *used)
{
  *used = 0;
  for (uint32_t b = 0; b < heap->blocks.high; b++) {
    if (heap->blocks.kind[b] != TNI_BLOCK_LINES_USED)
      continue;
    (*used)++;
    const uint32_t live = heap->blocks.info[b].live;
    if (live > 0 && live < TNI_BLOCK_LINES)
      blocks_of[live]++;
  }
}

bool
tni_lines_choose(tn_gc *heap, tni_lines *lines, tn_gc_kind kind)
{
  uint32_t blocks_of[TNI_BLOCK_LINES] = {0};
  uint32_t used;
  lines_histogram(heap, blocks_of, &used);
  const bool all = (heap->stress & TN_GC_STRESS_MOVE) != 0;
  const bool loose = lines->used_blocks != 0 &&
                     lines->free_lines / LINES_LOOSE > lines->used_blocks * 16;
  const size_t room =
      heap->limit > tni_load_relaxed(&heap->used)
          ? (heap->limit - tni_load_relaxed(&heap->used)) / TNI_BLOCK_SIZE
          : 0;
  lines->spare = (uint32_t)tni_max(room, 2);
  if (!all && kind != TN_GC_COMPACT && !loose)
    return false;
  /* The emptiest first, while their live lines fit in the spare blocks. */
  size_t lines_left = (size_t)lines->spare * TNI_BLOCK_LINES * 7 / 8;
  uint32_t most = 0;
  for (uint32_t live = 1; live < TNI_BLOCK_LINES; live++) {
    const size_t need = (size_t)live * blocks_of[live];
    if (need > lines_left)
      break;
    lines_left -= need;
    most = live;
  }
  if (!all)
    most = most < TNI_BLOCK_LINES / 2 ? most : TNI_BLOCK_LINES / 2;
  for (uint32_t b = 0; b < heap->blocks.high; b++)
    if (heap->blocks.kind[b] == TNI_BLOCK_LINES_USED &&
        (all ||
         (heap->blocks.info[b].live > 0 && heap->blocks.info[b].live <= most)))
      heap->blocks.kind[b] = TNI_BLOCK_LINES_FROM;
  return true;
}

void
tni_lines_adopt(tn_gc *heap, tni_lines *lines, uint32_t block)
{
  const unsigned char *const line = tni_block_lines(&heap->blocks, block);
  tni_block_record *const info = &heap->blocks.info[block];
  uint32_t live = 0;
  for (uint32_t i = 0; i < TNI_BLOCK_LINES; i++)
    live += line[i] != TNI_LINE_FREE;
  if (live == 0) {
    tni_space_give(heap, block);
    return;
  }
  heap->blocks.kind[block] = TNI_BLOCK_LINES_USED;
  info->live = (uint16_t)live;
  lines->used_blocks++;
  lines->free_lines += TNI_BLOCK_LINES - live;
  if (TNI_BLOCK_LINES - live >= LINES_WORTH && !info->is_listed) {
    info->next = lines->recyclable;
    info->is_listed = 1;
    lines->recyclable = block;
  }
}

void
tni_lines_sweep(tn_gc *heap, tni_lines *lines)
{
  lines->used_blocks = 0;
  lines->free_lines = 0;
  lines->recyclable = TNI_NO_BLOCK;
  for (uint32_t b = heap->blocks.high; b-- > 0;)
    if (lines_is_ours(&heap->blocks, b))
      tni_lines_adopt(heap, lines, b);
}

/* ---- Finding ------------------------------------------------------------------------------ */

/* The run that line i of a block is in: its first line and its end. */
static bool
lines_run_at(const unsigned char *line, uint32_t i, uint32_t *first,
             uint32_t *end)
{
  if (line[i] != TNI_LINE_RUN && line[i] != TNI_LINE_RUN_START)
    return false;
  while (line[i] == TNI_LINE_RUN)
    i--;
  *first = i++;
  while (i < TNI_BLOCK_LINES && line[i] == TNI_LINE_RUN)
    i++;
  *end = i;
  return true;
}

static bool
lines_walk_runs(tn_gc *heap, uint32_t block, tn_walk_fn *fn, void *argument)
{
  const unsigned char *const line = tni_block_lines(&heap->blocks, block);
  unsigned char *const start = tni_block_start(&heap->blocks, block);
  uint32_t first;
  uint32_t end;
  for (uint32_t i = 0; i < TNI_BLOCK_LINES; i++) {
    if (!lines_run_at(line, i, &first, &end))
      continue;
    if (!tni_walk_run(start + ((size_t)first << TNI_LINE_LOG2),
                      start + ((size_t)end << TNI_LINE_LOG2), fn, argument))
      return false;
    i = end - 1;
  }
  return true;
}

bool
tni_lines_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  for (uint32_t b = 0; b < heap->blocks.high; b++)
    if (lines_is_ours(&heap->blocks, b) &&
        (!tni_walk_marked(&heap->blocks, b, fn, argument) ||
         !lines_walk_runs(heap, b, fn, argument)))
      return false;
  return true;
}

/* Between collections by marks and runs; in one by the starts. */
void *
tni_lines_resolve(tn_gc *heap, uintptr_t word)
{
  const tni_blocks *const blocks = &heap->blocks;
  if (heap->is_collecting)
    return tni_find_by_bits(blocks, blocks->start, word);
  const size_t offset = word - tni_address(blocks->base);
  const uint32_t block = (uint32_t)(offset >> TNI_BLOCK_LOG2);
  unsigned char *const start = tni_block_start(blocks, block);
  uint32_t first;
  uint32_t end;
  if (lines_run_at(tni_block_lines(blocks, block),
                   (uint32_t)((offset & (TNI_BLOCK_SIZE - 1)) >> TNI_LINE_LOG2),
                   &first, &end))
    return tni_find_in_run(start + ((size_t)first << TNI_LINE_LOG2),
                           start + ((size_t)end << TNI_LINE_LOG2), word);
  return tni_find_by_bits(blocks, blocks->mark, word);
}
