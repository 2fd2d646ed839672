/* space_make.c -- making a space, and letting more of it be touched; space.h */
#include <string.h>

#include "heap/space.h"
#include "os/os.h"

#define SPACE_STEP    ((size_t)64)    // slices committed at once, at least
#define SPACE_RECORDS ((size_t)1024)  // slices described at once, at least

/* ---- Growing ------------------------------------------------------------------ */

/* Let the records of slices below end be touched. */
static bool
space_describe(tni_heap_space *space, size_t end)
{
  const size_t page_size = tni_os_get_config()->page_size;
  end = tni_min(tni_round_up(end, SPACE_RECORDS), space->count);
  const size_t from = space->described;
  if (end <= from)
    return true;
  const size_t words = (size_t)1 << space->words_log2;
  const struct {
    uintptr_t start;
    size_t stride;  // bytes a slice
  } parts[] = {
      {tni_address(space->pages), sizeof *space->pages},
      {tni_address(space->bits), words * sizeof *space->bits},
      {tni_address(space->live),
       TNI_HEAP_CHECKED ? 2 * words * sizeof *space->bits : 0},
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    const size_t low = tni_round_down(from * parts[i].stride, page_size);
    const size_t high = tni_round_up(end * parts[i].stride, page_size);
    if (high > low && tni_os_commit_lazy(tni_pointer(parts[i].start + low),
                                         high - low) != TN_OK)
      return false;
  }
  space->described = end;
  return true;
}

/* Let the slices below end be used. */
bool
tni_slices_commit(tni_heap_space *space, size_t end)
{
  if (end <= space->committed)
    return true;
  const size_t from = space->committed;
  unsigned char *const at = space->base + (from << space->slice_log2);
  size_t until = tni_min(tni_max(end, from + SPACE_STEP), space->count);
  if (TN_STRESS_TINY)
    until = end;
  if (!space->is_ours || !space_describe(space, until))
    return false;
  while (tni_os_commit_lazy(at, (until - from) << space->slice_log2) != TN_OK) {
    if (until == end)
      return false;
    until = end;
  }
  space->committed = until;
  return true;
}

/* ---- Making spaces -------------------------------------------------------------- */

/* Lay out map, records and bitmaps from base; how many bytes that takes. */
static size_t
space_lay_out(tni_heap_space *space, size_t unit, bool has_map)
{
  const size_t words = (size_t)1 << space->words_log2;
  const size_t bitmap = words * sizeof *space->bits;
  size_t at = has_map ? tni_round_up(space->count, unit) : 0;
  space->pages = (void *)(space->base + at);
  at += tni_round_up(space->count * sizeof *space->pages, unit);
  space->bits = (void *)(space->base + at);
  at += tni_round_up(space->count * bitmap, unit);
  space->live = (void *)(space->base + at);
  at += TNI_HEAP_CHECKED ? tni_round_up(2 * space->count * bitmap, unit) : 0;
  return at;
}

/* A space of size bytes of the system's; NULL when it cannot be had. */
tni_heap_space *
tni_slices_reserve(tni_heap_space *space, size_t size)
{
  const size_t page_size = tni_os_get_config()->page_size;
  const size_t align = size > TNI_MIB(1024) ? TNI_MIB(4096) : TNI_SLICE_SIZE;
  void *base;
  if (tni_place_reserve(size, align, &base) != TN_OK)
    return NULL;
  space->owner = (tni_owner){&tni_heap_owner_ops, NULL, base, size};
  space->base = base;
  space->slice_log2 = TNI_HEAP_SLICE_LOG2;
  space->words_log2 = TNI_HEAP_SLICE_LOG2 - TNI_BLOCK_MIN_LOG2 - 6;
  space->count = size >> TNI_HEAP_SLICE_LOG2;
  space->is_ours = true;
  const size_t used = space_lay_out(space, page_size, true);
  /* Whole slices of records, and one that is never touched behind them. */
  space->first =
      (tni_round_up(used, TNI_SLICE_SIZE) >> TNI_HEAP_SLICE_LOG2) + 1;
  tni_store_relaxed(&space->frontier, space->first);
  space->committed = space->first;
  space->described = tni_round_down(space->first, SPACE_RECORDS);
  if (space->first < space->count &&
      tni_os_commit_lazy(base, tni_round_up(space->count, page_size)) ==
          TN_OK &&
      space_describe(space, space->first + 1) &&
      tni_pagemap_set(base, size, &space->owner) == TN_OK)
    return space;
  (void)tni_os_release(base, size);
  return NULL;
}

tni_heap_space *
tni_slices_in(void *memory, size_t size, unsigned slice_log2,
              const tni_owner_ops *ops, const char *name)
{
  tni_heap_space *const space = memory;
  const size_t slice = (size_t)1 << slice_log2;
  const size_t head = tni_round_up(sizeof *space, 64);
  if (size < head + slice)
    return NULL;
  *space = (tni_heap_space){.slice_log2 = slice_log2,
                            .words_log2 = slice_log2 - TNI_BLOCK_MIN_LOG2 - 6};
  /* Slices are aligned to their size; the records lie before the first. */
  const uintptr_t start = tni_address(memory);
  const uintptr_t end = tni_round_down(start + size, slice);
  unsigned char *const low = (unsigned char *)memory;
  const uintptr_t base = tni_round_down(start, slice);
  space->base = low - (start - base);
  space->count = (end - base) >> slice_log2;
  unsigned char *const slices_base = space->base;
  space->base = low + head;
  const size_t used = space_lay_out(space, 64, false);
  space->base = slices_base;
  space->first =
      (tni_round_up(start + head + used, slice) - base) >> slice_log2;
  if (space->first >= space->count)
    return NULL;
  memset(space->pages, 0, used);
  tni_store_relaxed(&space->frontier, space->first);
  space->committed = space->described = space->count;
  space->owner = (tni_owner){ops, name, memory, size};
  return space;
}
