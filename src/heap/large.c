#include "heap/large.h"

#include <string.h>

#define LARGE_SLACK     16u  // times its size a block may grow after a move
#define LARGE_SLACK_MAX ((size_t)1 << (sizeof(size_t) == 8 ? 33 : 28))
#define LARGE_MOVE_MIN  TNI_KIB(256)  // below, copying is as fast
#define LARGE_SWAP_MIN  TNI_KIB(256)  // zeros: clean memory from here on

static size_t
large_bytes(const tni_heap_page *page)
{
  return (size_t)page->slices << page->space->slice_log2;
}

/* What is granted for a request: whole pages of the system's, which are not
 * resident until they are touched. */
static bool
large_round(const tn_heap *heap, size_t size, size_t *granted)
{
  const size_t unit =
      tni_heap_is_apart(heap) ? TN_ALIGN : tni_os_get_config()->page_size;
  return tni_round_up_checked(tni_max(size, 1), unit, granted) &&
         *granted <= (size_t)PTRDIFF_MAX;
}

static void
large_link(tn_heap *heap, tni_heap_page *page)
{
  tni_heap_lock();
  page->all_prev = NULL;
  page->all_next = heap->large;
  if (heap->large)
    heap->large->all_prev = page;
  heap->large = page;
  tni_heap_unlock();
}

static void
large_unlink(tn_heap *heap, tni_heap_page *page)
{
  tni_heap_lock();
  if (page->all_prev)
    page->all_prev->all_next = page->all_next;
  else
    heap->large = page->all_next;
  if (page->all_next)
    page->all_next->all_prev = page->all_prev;
  tni_heap_unlock();
}

/* A run for granted bytes with room for more bytes behind; charged. */
static tni_heap_page *
large_take(tn_heap *heap, size_t granted, size_t room, size_t align,
           bool prefer_clean, bool *is_clean)
{
  const unsigned log2 = tni_heap_slice_log2(heap);
  const size_t slice = (size_t)1 << log2;
  const size_t slices =
      (tni_round_up(granted, slice) + tni_round_down(room, slice)) >> log2;
  if (slices > UINT32_MAX / 2 || align > (size_t)PTRDIFF_MAX ||
      !tni_heap_charge(heap, granted))
    return NULL;
  tni_heap_page *const page = tni_heap_take_slices(
      heap, slices, tni_max(align >> log2, 1), prefer_clean, is_clean);
  if (!page) {
    tni_heap_uncharge(heap, granted);
    return NULL;
  }
  page->size_class = 0;
  page->heap = heap;
  page->size = granted;
  page->is_moved = 0;
  tni_add_relaxed(&heap->large_bytes, granted);
  return page;
}

/* Make a block zero whose memory is dirty. */
static void
large_zero(const tni_heap_page *page, size_t size)
{
  unsigned char *const start = tni_page_start(page);
  const size_t os_page = tni_os_get_config()->page_size;
  const size_t whole = tni_round_down(size, os_page);
  if (page->space->is_ours && size >= TNI_MIB(1) &&
      tni_os_purge(start, whole) == TN_OK)
    memset(start + whole, 0, size - whole);
  else
    memset(start, 0, size);
}

tn_block
tni_heap_large_allocate(tn_heap *heap, size_t size, size_t align,
                        unsigned flags)
{
  size_t granted;
  if (!large_round(heap, size, &granted))
    return (tn_block){0};
  const bool zero = (flags & TN_HEAP_ZERO) != 0;
  const bool prefer_clean = zero && granted >= LARGE_SWAP_MIN;
  bool is_clean = false;
  tni_heap_page *page =
      large_take(heap, granted, 0, align, prefer_clean, &is_clean);
  if (!page && tni_reclaim(granted))
    page = large_take(heap, granted, 0, align, prefer_clean, &is_clean);
  if (!page)
    return (tn_block){0};
  tni_annotate_give(tni_page_start(page), granted);
  if (zero && !is_clean)
    large_zero(page, granted);
  /* Who takes clean memory although there is dirty memory gives as much back
   * for it: zeros do not make a program grow. */
  if (prefer_clean && is_clean && tni_slices_dirty() >= granted)
    (void)tni_slices_purge(granted);
  large_link(heap, page);
  return (tn_block){tni_page_start(page), granted, is_clean || zero};
}

void
tni_heap_large_free(tni_heap_page *page, const void *block)
{
  tni_heap_space *const space = page->space;
  tn_heap *const heap = page->heap;
  if (tni_page_kind_of(page) != TNI_PAGE_LARGE || block != tni_page_start(page))
    tn_contract_broken("heap.block", "the pointer is not the start of a block",
                       __FILE__, __LINE__);
  large_unlink(heap, page);
  const size_t size = page->size;
  const size_t used =
      tni_round_up(size, (size_t)1 << space->slice_log2) >> space->slice_log2;
  const size_t slices = page->slices;
  unsigned char *const start = tni_page_start(page);
  tni_heap_uncharge(heap, size);
  tni_sub_relaxed(&heap->large_bytes, size);
  /* What lies beyond is clean: [large.size]. */
  bool is_dirty = true;
  /* A remapped block is a mapping of its own, which nothing merges with until
   * it is mapped anew. */
  if (page->is_moved &&
      tni_os_decommit(start, used << space->slice_log2) == TN_OK) {
    if (tni_os_commit_lazy(start, used << space->slice_log2) != TN_OK) {
      tni_slices_give_reserved(space, page, used, slices - used);
      return;
    }
    is_dirty = false;
  }
  tni_slices_give_two(space, page, used, slices - used, is_dirty);
}

size_t
tni_heap_large_resize(tni_heap_page *page, size_t min, size_t wanted)
{
  tni_heap_space *const space = page->space;
  tn_heap *const heap = page->heap;
  size_t need;
  if (!large_round(heap, tni_max(wanted, 1), &need))
    return 0;
  if (need <= page->size) {
    const size_t slice = (size_t)1 << space->slice_log2;
    const size_t keep = tni_round_up(need, slice) >> space->slice_log2;
    const size_t used = tni_round_up(page->size, slice) >> space->slice_log2;
    const size_t gone = page->size - need;
    if (keep < used)
      tni_slices_trim(space, page, keep, used);
    page->size = need;
    tni_heap_uncharge(heap, gone);
    tni_sub_relaxed(&heap->large_bytes, gone);
    return need;
  }
  const size_t more = need - page->size;
  if (!tni_heap_charge(heap, more))
    return min <= page->size ? page->size : 0;
  if (need > large_bytes(page)) {
    const size_t slices = tni_round_up(need - large_bytes(page),
                                       (size_t)1 << space->slice_log2) >>
                          space->slice_log2;
    bool is_clean;
    if (!tni_slices_extend(space, page, slices, &is_clean)) {
      tni_heap_uncharge(heap, more);
      return min <= page->size ? page->size : 0;
    }
  }
  tni_annotate_give(tni_page_start(page), need);
  page->size = need;
  tni_add_relaxed(&heap->large_bytes, more);
  tni_add_relaxed(&heap->grown, 1);
  return need;
}

void *
tni_heap_large_move(tni_heap_page *page, size_t size, size_t align)
{
  tn_heap *const heap = page->heap;
  tni_heap_space *const space = page->space;
  size_t granted;
  if (!large_round(heap, size, &granted))
    return NULL;
  size_t room = 0;
  if (space->is_ours && !tni_slices_is_scarce() &&
      granted < LARGE_SLACK_MAX / LARGE_SLACK)
    room = granted * (LARGE_SLACK - 1);
  bool is_clean;
  tni_heap_page *to = large_take(heap, granted, room, align, true, &is_clean);
  if (!to && room > 0)
    to = large_take(heap, granted, 0, align, true, &is_clean);
  if (!to)
    return NULL;
  unsigned char *const from_start = tni_page_start(page);
  unsigned char *const to_start = tni_page_start(to);
  tni_annotate_give(to_start, granted);
  const size_t slice = (size_t)1 << space->slice_log2;
  const size_t old = tni_min(page->size, granted);
  const size_t span = tni_round_up(old, slice);
  if (space->is_ours && to->space->is_ours && old >= LARGE_MOVE_MIN &&
      tni_os_get_config()->can_move &&
      tni_os_move(from_start, to_start, span) == TN_OK) {
    to->is_moved = 1;
    tni_add_relaxed(&heap->moved, 1);
    page->is_moved = 1;  // what it was is to be mapped anew
  } else {
    memcpy(to_start, from_start, old);
  }
  large_link(heap, to);
  tni_heap_large_free(page, from_start);
  return to_start;
}
