/* free.c -- freeing and resizing what may be anything; see heap.h */
#include <string.h>

#include "heap/heap.h"
#include "heap/large.h"
#include "heap/purge.h"
#include "heap/remote.h"

/* ---- What is it? ------------------------------------------------------------------ */

void
tni_heap_refuse(const void *pointer, const char *tag, const char *what)
{
  char is[200];
  char line[320];
  (void)tn_describe(pointer, is, sizeof is);
  (void)tni_format(line, sizeof line, "tenure: [%s] %s %p, which is %s", tag,
                   what, pointer, is);
  tni_fatal(line);
}

tni_heap_page *
tni_heap_find_page(const void *p)
{
  const tni_heap_space *space = tni_heap_map.space;
  if (tni_load_relaxed(&tni_heap_apart) > 0 ||
      tni_address(p) - tni_address(tni_heap_map.base) >=
          tni_load_relaxed(&tni_heap_map.size))
    space = tni_slices_find(p);
  return space ? tni_slices_page(space, p) : NULL;
}

tn_heap *
tn_heap_of(const void *pointer)
{
  const tni_heap_page *const page = tni_heap_find_page(pointer);
  return page ? page->heap : NULL;
}

/* The page of a block that the program wants to free or resize. */
static tni_heap_page *
free_find(const void *pointer, const char *what)
{
  tni_heap_page *const page = tni_heap_find_page(pointer);
  if (TN_UNLIKELY(!page)) {  // [heap.pointer], [heap.block]
    const tni_heap_space *const space = tni_slices_find(pointer);
    tni_heap_refuse(pointer, space ? "heap.block" : "heap.pointer", what);
  }
  if (tni_page_kind_of(page) == TNI_PAGE_LARGE
          ? pointer != tni_page_start(page)
          : !tni_live_is(page->space, pointer))
    tni_heap_refuse(pointer, "heap.block", what);
  return page;
}

static tni_block_info
heap_find_block(const tni_owner *owner, const void *p)
{
  const tni_heap_space *const space =
      (const tni_heap_space *)tni_pointer(tni_address(owner));
  const tni_heap_page *const page = tni_slices_page(space, p);
  if (!page)
    return (tni_block_info){.start = p, .size = 0};
  const unsigned char *const start = tni_page_start(page);
  if (tni_page_kind_of(page) == TNI_PAGE_LARGE)
    return (tni_block_info){start, page->size, true, true};
  const size_t offset = tni_address(p) - tni_address(start);
  uint32_t index = tni_page_index(page, offset);
  if (index >= page->blocks)
    return (tni_block_info){.start = p, .size = 0};
  const bool is_free = (page->bits[index / 64] >> index % 64 & 1) != 0;
  while (tni_page_is_host(page) && tni_page_continues(page, index))
    index--;
  const unsigned char *const block = start + index * page->size;
  return (tni_block_info){block, tni_page_granted(page, index * page->size),
                          true, !is_free && tni_live_is(space, block)};
}

const tni_owner_ops tni_heap_owner_ops = {"heap", heap_find_block};

static size_t
free_offset(const tni_heap_page *page, const void *pointer)
{
  return tni_address(pointer) - tni_address(tni_page_start(page));
}

/* Bytes of a block. */
static size_t
free_granted(const tni_heap_page *page, const void *pointer)
{
  return tni_page_kind_of(page) == TNI_PAGE_LARGE
             ? page->size
             : tni_page_granted(page, free_offset(page, pointer));
}

/* ---- Freeing ------------------------------------------------------------------------ */

/* A small block whose page is known. */
static void
free_small(tni_heap_page *page, void *pointer)
{
  if (!tni_live_clear(page->space, pointer))
    tni_heap_refuse(pointer, "heap.block", "free of");
  tni_annotate_take(pointer, free_granted(page, pointer));
  tni_heap_local *const local = tni_local_enter(page->heap);
  if (!local) {  // out of memory, but freeing never fails
    if (!tni_remote_free(page, free_offset(page, pointer)))
      tni_heap_refuse(pointer, "heap.block", "free of");
    return;
  }
  tni_local_give(local, pointer,
                 tni_page_class(page, free_offset(page, pointer)));
  tni_local_leave(local);
}

/* Free a block whose class the map says, by a thread that has a handle; false:
 * look it up. */
static inline bool
free_mapped(void *pointer)
{
  tni_heap_local *const local = (tni_heap_local *)tni_heap_here;
  const unsigned size_class = tni_heap_map_class(pointer);
  if (size_class == 0 || local == &tni_heap_nobody || TN_HARDEN >= 2)
    return false;
  tni_annotate_take(pointer, tni_local_sizes[size_class]);
  tni_local_begin(local);
  tni_local_give(local, pointer, size_class);
  tni_local_end(local);
  return true;
}

void
tn_heap_free_any(void *pointer)
{
  if (free_mapped(pointer) || !pointer)
    return;
  tni_heap_page *const page = free_find(pointer, "free of");
  if (tni_page_kind_of(page) == TNI_PAGE_LARGE)
    tni_heap_large_free(page, pointer);
  else
    free_small(page, pointer);
}

/* Whether a block of the page may be freed with this size: [heap.size]. */
static bool
free_fits(const tni_heap_page *page, const void *pointer, size_t size,
          size_t align)
{
  const size_t slice = (size_t)1 << page->space->slice_log2;
  const unsigned size_class = tni_class_of(size, align, slice);
  if (tni_page_kind_of(page) == TNI_PAGE_SMALL)
    return size_class == tni_page_class(page, free_offset(page, pointer));
  return size <= page->size && page->size - size < slice;
}

void
tn_heap_free(tn_heap *heap, void *pointer, size_t size, size_t align)
{
  if (!pointer)
    return;
  if (TNI_HEAP_CHECKED) {
    const tni_heap_page *const page = free_find(pointer, "free of");
    if (!free_fits(page, pointer, size, align))
      tni_heap_refuse(pointer, "heap.size", "free with a wrong size of");
    if (page->heap != heap)  // [heap.owner]
      tni_heap_refuse(pointer, "heap.owner", "free to another heap of");
    tn_heap_free_any(pointer);
    return;
  }
  const unsigned size_class =
      tni_class_of(size, align, (size_t)1 << tni_heap_slice_log2(heap));
  tni_heap_local *const local = size_class ? tni_local_enter(heap) : NULL;
  if (!local) {
    tn_heap_free_any(pointer);
    return;
  }
  tni_annotate_take(pointer, tni_class_size(size_class));
  tni_local_give(local, pointer, size_class);
  tni_local_leave(local);
}

void
tn_heap_give_slow(tn_heap_local *here, void *pointer, size_t size)
{
  tn_heap_free(((tni_heap_local *)here)->heap, pointer, size, TN_ALIGN);
}

void
tn_heap_free_batch(void **blocks, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (!blocks[i])
      continue;
    tni_heap_page *const page = free_find(blocks[i], "free of");
    if (tni_page_kind_of(page) == TNI_PAGE_LARGE) {
      tni_heap_large_free(page, blocks[i]);
      continue;
    }
    if (!tni_live_clear(page->space, blocks[i]))
      tni_heap_refuse(blocks[i], "heap.block", "free of");
    tni_heap_local *const local = tni_local_enter(page->heap);
    tni_annotate_take(blocks[i], free_granted(page, blocks[i]));
    if (local) {
      tni_local_return(local, blocks[i]);
      tni_local_leave(local);
    } else if (!tni_remote_free(page, free_offset(page, blocks[i]))) {
      tni_heap_refuse(blocks[i], "heap.block", "free of");
    }
  }
}

/* ---- Resizing ------------------------------------------------------------------------- */

size_t
tn_heap_granted(const void *pointer)
{
  const tni_heap_page *const page =
      pointer ? tni_heap_find_page(pointer) : NULL;
  return page ? free_granted(page, pointer) : 0;
}

size_t
tn_heap_resize(void *pointer, size_t min, size_t wanted)
{
  TN_REQUIRE(min > 0 && wanted >= min, "heap.size", "min 0, or above wanted");
  tni_heap_page *const page = free_find(pointer, "resize of");
  if (tni_page_kind_of(page) == TNI_PAGE_LARGE) {
    const size_t slice = (size_t)1 << page->space->slice_log2;
    if (wanted <= 2 * slice)  // it would have to be a small block
      return min <= page->size && min > 2 * slice ? page->size : 0;
    const size_t granted = tni_heap_large_resize(page, min, wanted);
    if (granted == 0 && wanted > min)
      return tni_heap_large_resize(page, min, min);
    return granted;
  }
  const size_t slice = (size_t)1 << page->space->slice_log2;
  const size_t granted = free_granted(page, pointer);
  const unsigned size_class = tni_page_class(page, free_offset(page, pointer));
  const size_t size = tni_min(wanted, granted);
  const bool is_same =
      min <= granted && (tni_class_of(size, TN_ALIGN, slice) == size_class ||
                         tni_class_of(size, 8, slice) == size_class);
  return is_same ? granted : 0;
}

tn_block
tn_heap_reallocate(tn_heap *heap, void *pointer, size_t size, size_t align)
{
  if (!pointer)
    return tn_heap_allocate(heap ? heap : &tni_heap_default, size, align, 0);
  size = tni_max(size, 1);
  tni_heap_page *const page = free_find(pointer, "reallocation of");
  heap = heap ? heap : page->heap;
  const size_t old = free_granted(page, pointer);
  if (tni_is_aligned(tni_address(pointer), align) && heap == page->heap) {
    const bool is_large = tni_page_kind_of(page) == TNI_PAGE_LARGE;
    const size_t granted = tn_heap_resize(pointer, size, size);
    if (granted != 0)
      return (tn_block){pointer, granted, false};
    /* Shrinking a little is not worth a copy; nobody may then free with the
     * new size, so not where sizes are checked. */
    if (!is_large && !TNI_HEAP_CHECKED && size <= old && size >= old / 2)
      return (tn_block){pointer, old, false};
    if (is_large && size > old) {
      void *const moved = tni_heap_large_move(page, size, align);
      if (moved)
        return (tn_block){moved, tn_heap_granted(moved), false};
    }
  }
  const tn_block block = tn_heap_allocate(heap, size, align, 0);
  if (!block.pointer)
    return block;
  memcpy(block.pointer, pointer, tni_min(old, size));
  tn_heap_free_any(pointer);
  return (tn_block){block.pointer, block.granted, false};
}

/* ---- Giving memory back ------------------------------------------------------------------ */

size_t
tn_purge_all(void)
{
  size_t purged = 0;
  tni_purge_request();
  tni_heap_local *const mine = (tni_heap_local *)tni_heap_here;
  if (mine != &tni_heap_nobody) {
    mine->requests++;
    tni_local_begin(mine);
    purged += tni_purge_local(mine);
    tni_local_end(mine);
  }
  tni_heap_lock();
  for (tni_heap_local *local = tni_heap_default.idle; local;
       local = local->idle_next)
    purged += tni_purge_local(local);
  tni_heap_unlock();
  return purged + tni_slices_purge(SIZE_MAX);
}

void
tn_idle(void)
{
  tni_local_give_back_all();
}
