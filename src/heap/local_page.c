/* local_page.c -- which pages a handle has; see local.h */
#include "heap/host.h"
#include "heap/local.h"
#include "heap/remote.h"

#define LOCAL_LOOK 4  // pages that are compared for one refill

/* ---- Lists ---------------------------------------------------------------- */

static void
local_list(tni_heap_local *local, tni_heap_page *page)
{
  tni_heap_page **const list = &local->partial[page->size_class];
  page->is_listed = 1;
  page->prev = NULL;
  page->next = *list;
  if (*list)
    (*list)->prev = page;
  *list = page;
}

void
tni_local_unlist(tni_heap_local *local, tni_heap_page *page)
{
  if (tni_page_is_host(page)) {
    tni_host_unlist(local, page);
    return;
  }
  page->is_listed = 0;
  if (page->prev)
    page->prev->next = page->next;
  else
    local->partial[page->size_class] = page->next;
  if (page->next)
    page->next->prev = page->prev;
}

void
tni_local_map(const tni_heap_page *page, unsigned size_class)
{
  const tni_heap_space *const space = page->space;
  if (!page->heap->is_default || space->base != tni_heap_map.base)
    return;
  const size_t first = (size_t)(page - space->pages);
  for (size_t i = first; i < first + page->slices; i++)
    tni_store_relaxed((_Atomic unsigned char *)&tni_heap_map.base[i],
                      (unsigned char)size_class);
}

tni_heap_page *
tni_local_new_page(tni_heap_local *local, unsigned size_class)
{
  tn_heap *const heap = local->heap;
  const unsigned log2 = tni_heap_slice_log2(heap);
  const size_t slices = tni_page_slices(size_class, log2);
  bool is_clean;
  if (!tni_heap_charge(heap, slices << log2))
    return NULL;
  tni_heap_page *const page =
      tni_heap_take_slices(heap, slices, 1, false, &is_clean);
  if (!page) {
    tni_heap_uncharge(heap, slices << log2);
    return NULL;
  }
  page->owner = local;
  local->paged += slices << log2;
  page->heap = heap;
  page->age = local->tick;
  tni_page_init(page, size_class, is_clean);
  page->all_prev = NULL;
  page->all_next = local->all;
  if (local->all)
    local->all->all_prev = page;
  local->all = page;
  local_list(local, page);
  tni_local_map(page, size_class);
  return page;
}

void
tni_local_drop_page(tni_heap_local *local, tni_heap_page *page)
{
  tni_heap_space *const space = page->space;
  const size_t slices = page->slices;
  if (page->is_listed)
    tni_local_unlist(local, page);
  if (page->all_prev)
    page->all_prev->all_next = page->all_next;
  else
    local->all = page->all_next;
  if (page->all_next)
    page->all_next->all_prev = page->all_prev;
  tni_local_map(page, 0);
  tni_page_fini(page);
  local->paged -= slices << space->slice_log2;
  tni_heap_uncharge(local->heap, slices << space->slice_log2);
  tni_slices_give(space, page, slices, true);
}

void
tni_local_settle(tni_heap_local *local, tni_heap_page *page)
{
  const bool is_host = tni_page_is_host(page);
  if (is_host)
    tni_host_settle(local, page);
  else if (!page->is_listed && page->free > 0)
    local_list(local, page);
  if (page->free < page->blocks)
    return;
  /* The last page of a class stays until a tick: a block that comes and goes
   * must not take and drop a page each time. */
  const bool is_last = !is_host && !page->next && !page->prev;
  if (!is_last || tni_load_relaxed(&local->state) == TNI_LOCAL_IDLE)
    tni_local_drop_page(local, page);
}

/* Of the first few pages with free blocks the fullest, and of those the
 * lowest: what is nearly empty may then become so. */
static tni_heap_page *
local_choose(tni_heap_local *local, unsigned size_class)
{
  tni_heap_page *best = local->partial[size_class];
  tni_heap_page *page = best;
  for (int i = 0; page && i < LOCAL_LOOK; i++, page = page->next)
    if (page->free < best->free || (page->free == best->free && page < best))
      best = page;
  return best;
}

tni_heap_page *
tni_local_find_page(tni_heap_local *local, unsigned size_class)
{
  tni_heap_page *const page = local_choose(local, size_class);
  if (page)
    return page;
  tni_remote_collect(local);
  return local_choose(local, size_class);
}
