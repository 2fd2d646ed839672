#include "heap/space.h"

#include <string.h>

#include "heap/local.h"
#include "os/os.h"

/* The first space where address space is plentiful, and where it is not. */
#if UINTPTR_MAX > 0xffffffffu
#define SPACE_LARGE_SIZE ((size_t)1 << 38)
#endif
#define SPACE_LIMITED_SIZE TNI_MIB(8)
#define SPACE_MIN_SIZE     TNI_MIB(1)

#define SPACE_LOOK         32  // runs of one bin that are compared, at most

tni_heap_map_head tni_heap_map;

static struct {
  tni_os_lock lock;
  tni_heap_space *first;        // lock: shared spaces, the oldest first
  tni_heap_page *waiting;       // lock: runs to be committed again, by next
  tni_heap_space large;         // the record of the first space
  _Atomic size_t dirty;         // atomic: relaxed: bytes in dirty runs
  _Atomic size_t purged;        // atomic: relaxed: bytes so far
  size_t least_dirty;           // lock: since surplus_ns; noted at each unlock
  _Atomic uint64_t surplus_ns;  // atomic: relaxed: set with the lock
  _Atomic bool is_scarce;       // a large reservation was refused
} space_state = {.lock.rank = TNI_RANK_HEAP_SPACE};

void
tni_slices_lock(void)
{
  tni_os_lock_acquire(&space_state.lock);
}

void
tni_slices_unlock(void)
{
  /* Not while a run is off its list to be cut, when it counts for nothing. */
  space_state.least_dirty =
      tni_min(space_state.least_dirty, tni_load_relaxed(&space_state.dirty));
  tni_os_lock_release(&space_state.lock);
}

tni_heap_space *
tni_slices_first(void)
{
  return space_state.first;
}

size_t
tni_slices_dirty(void)
{
  return tni_load_relaxed(&space_state.dirty);
}

size_t
tni_slices_purged(void)
{
  return tni_load_relaxed(&space_state.purged);
}

bool
tni_slices_is_scarce(void)
{
  return tni_load_relaxed(&space_state.is_scarce);
}

/* ---- Free runs -------------------------------------------------------------- */

static unsigned
space_bin_of(size_t slices)
{
  const unsigned log2 = tni_log2_floor(slices);
  return log2 < TNI_SPACE_BINS ? log2 : TNI_SPACE_BINS - 1;
}

static void
space_count_dirty(tni_heap_space *space, size_t slices, bool is_more)
{
  const size_t bytes = slices << space->slice_log2;
  space->dirty = is_more ? space->dirty + slices : space->dirty - slices;
  if (!space->is_ours)
    return;
  if (is_more)
    tni_add_relaxed(&space_state.dirty, bytes);
  else
    tni_sub_relaxed(&space_state.dirty, bytes);
}

size_t
tni_slices_surplus(uint64_t now_ns, uint64_t tick_ns)
{
  const uint64_t since = now_ns - tni_load_relaxed(&space_state.surplus_ns);
  if (since < tick_ns)
    return 0;
  tni_slices_lock();
  const size_t least = space_state.least_dirty;
  space_state.least_dirty = tni_load_relaxed(&space_state.dirty);
  tni_store_relaxed(&space_state.surplus_ns, now_ns);
  tni_slices_unlock();
  /* Small amounts, and those that nobody needed for long, go at once. */
  return least < TNI_MIB(1) || since > 4 * tick_ns ? least : least / 2;
}

/* Mark the run of slices from page on as free, and put it into its bin. */
static void
space_link(tni_heap_space *space, tni_heap_page *page, size_t slices,
           bool is_dirty)
{
  const unsigned bin = space_bin_of(slices);
  tni_heap_page *const last = page + slices - 1;
  tni_page_set_kind(page, TNI_PAGE_FREE);
  tni_page_set_kind(last, TNI_PAGE_FREE);
  last->is_dirty = page->is_dirty = is_dirty;
  page->back = 0;
  last->back = (uint32_t)(slices - 1);
  page->slices = (uint32_t)slices;
  page->space = space;
  page->prev = NULL;
  page->next = space->bin[is_dirty][bin];
  if (page->next)
    page->next->prev = page;
  space->bin[is_dirty][bin] = page;
  space->filled[is_dirty] |= (uint32_t)1 << bin;
  if (is_dirty)
    space_count_dirty(space, slices, true);
}

static void
space_unlink(tni_heap_space *space, tni_heap_page *page)
{
  const unsigned bin = space_bin_of(page->slices);
  const bool is_dirty = page->is_dirty;
  TN_CHECK(tni_page_kind_of(page) == TNI_PAGE_FREE, "space.run");
  if (page->prev)
    page->prev->next = page->next;
  else
    space->bin[is_dirty][bin] = page->next;
  if (page->next)
    page->next->prev = page->prev;
  if (!space->bin[is_dirty][bin])
    space->filled[is_dirty] &= ~((uint32_t)1 << bin);
  tni_page_set_kind(page, TNI_PAGE_NONE);
  tni_page_set_kind(page + page->slices - 1, TNI_PAGE_NONE);
  if (is_dirty)
    space_count_dirty(space, page->slices, false);
}

/* Free a run, which coalesces with neighbours of its kind; a clean run at the
 * frontier goes behind it. */
static void
space_release(tni_heap_space *space, tni_heap_page *page, size_t slices,
              bool is_dirty)
{
  size_t index = (size_t)(page - space->pages);
  if (index > space->first) {
    tni_heap_page *const before = page - 1;
    if (tni_page_kind_of(before) == TNI_PAGE_FREE &&
        before->is_dirty == is_dirty) {
      tni_heap_page *const start = before - before->back;
      index -= start->slices;
      slices += start->slices;
      space_unlink(space, start);
      page = start;
    }
  }
  if (index + slices < tni_load_relaxed(&space->frontier)) {
    tni_heap_page *const after = page + slices;
    if (tni_page_kind_of(after) == TNI_PAGE_FREE &&
        after->is_dirty == is_dirty) {
      slices += after->slices;
      space_unlink(space, after);
    }
  }
  if (!is_dirty && index + slices == tni_load_relaxed(&space->frontier))
    tni_store_relaxed(&space->frontier, index);
  else
    space_link(space, page, slices, is_dirty);
}

/* The run of at least slices in one kind's bins that fits best, among a few. */
static tni_heap_page *
space_search(tni_heap_space *space, size_t slices, bool is_dirty)
{
  const unsigned bin = space_bin_of(slices);
  tni_heap_page *best = NULL;
  int looked = 0;
  for (tni_heap_page *run = space->bin[is_dirty][bin];
       run && looked < SPACE_LOOK; run = run->next, looked++) {
    if (run->slices >= slices && (!best || run->slices < best->slices))
      best = run;
    if (best && best->slices == slices)
      break;
  }
  if (best || bin + 1 >= TNI_SPACE_BINS)
    return best;
  const uint32_t larger = space->filled[is_dirty] >> (bin + 1) << (bin + 1);
  return larger ? space->bin[is_dirty][__builtin_ctz(larger)] : NULL;
}

/* ---- Taking ---------------------------------------------------------------- */

/* Slices that were never taken, aligned; NULL when there are not enough. */
static tni_heap_page *
space_advance(tni_heap_space *space, size_t slices, size_t align)
{
  const size_t base = tni_address(space->base) >> space->slice_log2;
  const size_t start =
      tni_round_up(base + tni_load_relaxed(&space->frontier), align) - base;
  size_t end;
  if (!tn_size_add(start, slices, &end) || end > space->count ||
      !tni_slices_commit(space, end))
    return NULL;
  const size_t gap = start - tni_load_relaxed(&space->frontier);
  tni_heap_page *const before =
      space->pages + tni_load_relaxed(&space->frontier);
  tni_store_relaxed(&space->frontier, end);
  if (gap > 0)
    space_release(space, before, gap, false);
  return space->pages + start;
}

/* Take an aligned part of a free run that is long enough. */
static tni_heap_page *
space_cut(tni_heap_space *space, tni_heap_page *run, size_t slices,
          size_t align)
{
  const size_t total = run->slices;
  const bool is_dirty = run->is_dirty;
  const size_t at = (tni_address(space->base) >> space->slice_log2) +
                    (size_t)(run - space->pages);
  const size_t gap = tni_round_up(at, align) - at;
  space_unlink(space, run);
  if (total > gap + slices)
    space_link(space, run + gap + slices, total - gap - slices, is_dirty);
  if (gap > 0)
    space_link(space, run, gap, is_dirty);
  return run + gap;
}

/* A part of a free run of one kind, or NULL. */
static tni_heap_page *
space_reuse(tni_heap_space *space, size_t slices, size_t align, bool is_dirty)
{
  tni_heap_page *const run = space_search(space, slices + align - 1, is_dirty);
  return run ? space_cut(space, run, slices, align) : NULL;
}

/* From one space, lock held.  Dirty memory first, as it is resident; clean
 * memory, and what was never used, first where zeros are wanted. */
static tni_heap_page *
space_take_from(tni_heap_space *space, size_t slices, size_t align,
                bool prefer_clean, bool *is_clean)
{
  size_t enough;
  if (!tn_size_add(slices, align - 1, &enough) || enough > space->count)
    return NULL;
  *is_clean = false;
  tni_heap_page *page =
      prefer_clean ? NULL : space_reuse(space, slices, align, true);
  if (!page) {
    *is_clean = space->is_ours;  // fresh pages are zero: [space.clean]
    page = space_reuse(space, slices, align, false);
  }
  if (!page)
    page = space_advance(space, slices, align);
  if (!page && prefer_clean) {
    *is_clean = false;
    page = space_reuse(space, slices, align, true);
  }
  if (!page)
    return NULL;
  space->used += slices;
  page->space = space;
  return page;
}

/* ---- More spaces ----------------------------------------------------------- */

/* A space that holds slices at least, lock held. */
static tni_heap_space *
space_add_limited(size_t slices)
{
  size_t total = 0;
  for (const tni_heap_space *s = space_state.first; s; s = s->next)
    total += s->count << s->slice_log2;
  tni_heap_space *const space = tni_meta_allocate(sizeof *space);
  if (!space)
    return NULL;
  /* A quarter more than there is; records take a thirtieth; both rounded. */
  size_t need = (slices + slices / 16 + 4) << TNI_HEAP_SLICE_LOG2;
  size_t size = tni_round_up(
      tni_max(tni_max(need, SPACE_LIMITED_SIZE), total / 4), SPACE_MIN_SIZE);
  need = tni_round_up(need, TNI_SLICE_SIZE);
  while (!tni_slices_reserve(space, size)) {
    if (size == need) {
      tni_meta_free(space, sizeof *space);
      return NULL;
    }
    size = tni_max(tni_round_up(size / 2, TNI_SLICE_SIZE), need);
  }
  return space;
}

static bool
space_add(size_t slices)
{
  tni_heap_space *space = NULL;
#ifdef SPACE_LARGE_SIZE
  /* ThreadSanitizer knows only some regions, and each must be small. */
  if (!space_state.first && !TNI_HAS_TSAN &&
      tni_os_get_config()->address_bits >= 47)
    space = tni_slices_reserve(&space_state.large, SPACE_LARGE_SIZE);
#endif
  if (!space) {
    tni_store_relaxed(&space_state.is_scarce, true);
    space = space_add_limited(slices);
  }
  if (!space)
    return false;
  tni_heap_space **end = &space_state.first;
  while (*end)
    end = &(*end)->next;
  if (end == &space_state.first) {
    tni_heap_map.base = space->base;
    tni_heap_map.space = space;
    tni_heap_map.live = space->live;
    /* Pairs with nothing: a block of the space reaches another thread only by
     * a release of the program's own. */
    tni_store_release(&tni_heap_map.size, space->count << TNI_HEAP_SLICE_LOG2);
  }
  *end = space;
  return true;
}

/* ---- Slices that wait ------------------------------------------------------ */

/* Have one run that waits committed again, lock held. */
static void
space_recover(void)
{
  tni_heap_page *const page = space_state.waiting;
  if (TN_LIKELY(!page))
    return;
  tni_heap_space *const space = page->space;
  const size_t slices = page->slices;
  if (tni_os_commit_lazy(tni_page_start(page), slices << space->slice_log2) !=
      TN_OK)
    return;
  space_state.waiting = page->next;
  tni_page_set_kind(page, TNI_PAGE_NONE);
  tni_page_set_kind(page + slices - 1, TNI_PAGE_NONE);
  space->used -= slices;
  space_release(space, page, slices, false);
}

void
tni_slices_give_reserved(tni_heap_space *space, tni_heap_page *page,
                         size_t used, size_t clean)
{
  if (clean > 0)
    tni_slices_trim(space, page, used, used);
  tni_slices_lock();
  tni_page_set_kind(page, TNI_PAGE_BUSY);
  tni_page_set_kind(page + used - 1, TNI_PAGE_BUSY);
  page->next = space_state.waiting;
  space_state.waiting = page;
  tni_slices_unlock();
}

/* ---- The door --------------------------------------------------------------------- */

/* From the shared spaces, lock held; makes a new one when all are full. */
static tni_heap_page *
space_take_shared(size_t slices, size_t align, bool prefer_clean,
                  bool *is_clean)
{
  for (tni_heap_space *s = space_state.first; s; s = s->next) {
    tni_heap_page *const page =
        space_take_from(s, slices, align, prefer_clean, is_clean);
    if (page)
      return page;
  }
  size_t enough;
  if (!tn_size_add(slices, align - 1, &enough) ||
      enough > SIZE_MAX >> (TNI_HEAP_SLICE_LOG2 + 1))
    return NULL;
  /* Where there was room the system had no memory for it: more address space
   * would not help. */
  for (const tni_heap_space *s = space_state.first; s; s = s->next)
    if (s->count - tni_load_relaxed(&s->frontier) >= enough)
      return NULL;
  if (!space_add(enough))
    return NULL;
  tni_heap_space *last = space_state.first;
  while (last->next)
    last = last->next;
  return space_take_from(last, slices, align, prefer_clean, is_clean);
}

tni_heap_page *
tni_slices_take(tni_heap_space *spaces, size_t slices, size_t align,
                bool prefer_clean, bool *is_clean)
{
  tni_os_fork_lock(&space_state.lock);
  tni_slices_lock();
  tni_heap_page *page = NULL;
  space_recover();
  if (!spaces)
    page = space_take_shared(slices, align, prefer_clean, is_clean);
  else
    for (tni_heap_space *s = spaces; s && !page; s = s->next)
      page = space_take_from(s, slices, align, prefer_clean, is_clean);
  if (page) {
    page->slices = (uint32_t)slices;
    page->back = 0;
    tni_page_set_kind(page, TNI_PAGE_LARGE);
    tni_page_set_kind(&page[slices - 1], TNI_PAGE_LARGE);
    page[slices - 1].back = (uint32_t)(slices - 1);
  }
  tni_slices_unlock();
  return page;
}

/* Give the address space of an empty space back, where it is scarce: not the
 * first one, which tni_heap_map names. */
static void
space_drop(tni_heap_space *space)
{
  tni_heap_space **at = &space_state.first;
  while (*at && *at != space)
    at = &(*at)->next;
  if (!*at || at == &space_state.first)
    return;
  *at = space->next;
  space_count_dirty(space, space->dirty, false);
  tni_annotate_give(space->owner.base, space->owner.size);
  tni_pagemap_clear(space->owner.base, space->owner.size);
  (void)tni_os_release(space->base, space->owner.size);
  tni_meta_free(space, sizeof *space);
}

void
tni_slices_give_two(tni_heap_space *space, tni_heap_page *page, size_t used,
                    size_t clean, bool is_dirty)
{
  tni_slices_lock();
  tni_page_set_kind(page, TNI_PAGE_NONE);
  tni_page_set_kind(page + used + clean - 1, TNI_PAGE_NONE);
  space->used -= used + clean;
  if (clean > 0)
    space_release(space, page + used, clean, !space->is_ours);
  space_release(space, page, used, is_dirty || !space->is_ours);
  TN_CHECK_SLOW(tni_slices_is_valid(space), "space.run");
  if (space->used == 0 && space->is_ours)
    space_drop(space);
  tni_slices_unlock();
}

void
tni_slices_give(tni_heap_space *space, tni_heap_page *page, size_t slices,
                bool is_dirty)
{
  tni_slices_give_two(space, page, slices, 0, is_dirty);
}

void
tni_slices_trim(tni_heap_space *space, tni_heap_page *page, size_t keep,
                size_t used)
{
  tni_slices_lock();
  const size_t slices = page->slices;
  tni_page_set_kind(&page[slices - 1], TNI_PAGE_NONE);
  tni_page_set_kind(page, TNI_PAGE_LARGE);
  page->slices = (uint32_t)keep;
  tni_page_set_kind(&page[keep - 1], TNI_PAGE_LARGE);
  page[keep - 1].back = (uint32_t)(keep - 1);
  space->used -= slices - keep;
  if (slices > used)
    space_release(space, page + used, slices - used, !space->is_ours);
  if (used > keep)
    space_release(space, page + keep, used - keep, true);
  tni_slices_unlock();
}

bool
tni_slices_extend(tni_heap_space *space, tni_heap_page *page, size_t more,
                  bool *is_clean)
{
  tni_slices_lock();
  const size_t index = (size_t)(page - space->pages);
  const size_t end = index + page->slices;
  bool done = false;
  *is_clean = space->is_ours;
  if (end == tni_load_relaxed(&space->frontier)) {
    done = space_advance(space, more, 1) != NULL;
  } else if (tni_page_kind_of(&space->pages[end]) == TNI_PAGE_FREE &&
             space->pages[end].slices >= more) {
    *is_clean = !space->pages[end].is_dirty;
    (void)space_cut(space, &space->pages[end], more, 1);
    done = true;
  }
  if (done) {
    tni_page_set_kind(&space->pages[end - 1], TNI_PAGE_NONE);
    tni_page_set_kind(page, TNI_PAGE_LARGE);
    page->slices += (uint32_t)more;
    space->used += more;
    tni_page_set_kind(&page[page->slices - 1], TNI_PAGE_LARGE);
    page[page->slices - 1].back = page->slices - 1;
  }
  tni_slices_unlock();
  return done;
}

/* The largest dirty run of a space, marked as in use; lock held. */
static tni_heap_page *
space_take_dirty(tni_heap_space *space, size_t *slices)
{
  if (!space->is_ours || !space->filled[1])
    return NULL;
  tni_heap_page *const run = space->bin[1][tni_log2_floor(space->filled[1])];
  *slices = run->slices;
  space_unlink(space, run);
  tni_page_set_kind(run, TNI_PAGE_BUSY);
  tni_page_set_kind(run + *slices - 1, TNI_PAGE_BUSY);
  space->used += *slices;
  return run;
}

size_t
tni_slices_purge(size_t bytes)
{
  size_t done = 0;
  tni_slices_lock();
  space_recover();
  for (tni_heap_space *s = space_state.first; s && done < bytes;) {
    size_t slices;
    tni_heap_page *const run = space_take_dirty(s, &slices);
    if (!run) {
      s = s->next;
      continue;
    }
    const size_t size = slices << s->slice_log2;
    /* Others go on meanwhile; the run is nobody's.  A space with a run in use
     * is not dropped. */
    tni_slices_unlock();
    void *const start = s->base + ((size_t)(run - s->pages) << s->slice_log2);
    tni_annotate_give(start, size);
    const bool is_purged = tni_os_purge(start, size) == TN_OK;
    tni_slices_lock();
    tni_page_set_kind(run, TNI_PAGE_NONE);
    tni_page_set_kind(run + slices - 1, TNI_PAGE_NONE);
    s->used -= slices;
    space_release(s, run, slices, !is_purged);
    done += is_purged ? size : 0;
    if (!is_purged)
      break;
  }
  tni_slices_unlock();
  tni_add_relaxed(&space_state.purged, done);
  return done;
}

tni_heap_space *
tni_slices_find(const void *p)
{
  /* What is listed may lie within a block of another space. */
  const tni_owner *owner =
      tni_load_relaxed(&tni_heap_apart) > 0 ? tni_registry_find(p) : NULL;
  if (!owner || owner->ops != &tni_heap_owner_ops)
    owner = tni_pagemap_find(p);
  if (!owner || owner->ops != &tni_heap_owner_ops)
    return NULL;
  return (tni_heap_space *)tni_pointer(tni_address(owner));
}

tni_heap_page *
tni_slices_page(const tni_heap_space *space, const void *p)
{
  const size_t offset = tni_address(p) - tni_address(space->base);
  size_t index = offset >> space->slice_log2;
  if (index < space->first || index >= tni_load_relaxed(&space->frontier))
    return NULL;
  /* Inside a large block nothing says how far back it begins. */
  while (tni_page_kind_of(&space->pages[index]) == TNI_PAGE_NONE &&
         index > space->first)
    index--;
  tni_heap_page *const page = space->pages + index;
  const tni_page_kind kind = tni_page_kind_of(page);
  if (kind == TNI_PAGE_NONE || kind == TNI_PAGE_FREE || kind == TNI_PAGE_BUSY)
    return NULL;
  tni_heap_page *const head = page - page->back;
  const size_t at = offset >> space->slice_log2;
  return at < (size_t)(head - space->pages) + head->slices ? head : NULL;
}

bool
tni_slices_is_valid(const tni_heap_space *space)
{
  size_t used = 0;
  size_t dirty = 0;
  bool was_free[2] = {false, false};
  for (size_t i = space->first; i < tni_load_relaxed(&space->frontier);) {
    const tni_heap_page *const page = space->pages + i;
    const bool is_free = tni_page_kind_of(page) == TNI_PAGE_FREE;
    if (tni_page_kind_of(page) == TNI_PAGE_NONE || page->slices == 0 ||
        page[page->slices - 1].back != page->slices - 1 ||
        (is_free && was_free[page->is_dirty]))
      return false;
    was_free[0] = was_free[1] = false;
    if (is_free)
      was_free[page->is_dirty] = true;
    used += is_free ? 0 : page->slices;
    dirty += is_free && page->is_dirty ? page->slices : 0;
    i += page->slices;
  }
  return used == space->used && dirty == space->dirty;
}
