#include "heap/purge.h"

#include <string.h>

#include "heap/remote.h"

#define PURGE_TICK_NS  ((uint64_t)250000000)
#define PURGE_SHARE    10u  // of the time at most one part in so many
#define PURGE_LOOK     32u  // pages between two looks at the clock
#define PURGE_LIMIT_NS ((uint64_t)25000000)  // of one tick
#define PURGE_REFILLS  32u           // that show that memory is wanted again
#define PURGE_FLOOR    TNI_KIB(128)  // bytes that nobody minds

static _Atomic uint32_t purge_requests;  // atomic: relaxed: counts

/* ---- The trap ------------------------------------------------------------- */

static void
purge_trap(tni_heap_local *local)
{
  local->is_trapped = true;
  local->refills = 0;
  if (!local->window)  // which are kept short instead
    memset(local->here.class_of, 0, sizeof local->here.class_of);
}

static void
purge_lift(tni_heap_local *local)
{
  if (!local->is_trapped)
    return;
  local->is_trapped = false;
  tni_local_fill_table(local);
}

void
tni_purge_note_refill(tni_heap_local *local)
{
  if (!local->is_trapped || ++local->refills < PURGE_REFILLS)
    return;
  purge_lift(local);
  local->most_given = tni_load_relaxed(&local->given);
  local->known_dirty = tni_slices_dirty();
}

/* ---- One handle ----------------------------------------------------------------------- */

/* Empty half of each stack that was not used since the last tick. */
static void
purge_stacks(tni_heap_local *local)
{
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++) {
    if (local->stack_log2[c] == 0 || (local->busy[c / 64] >> c % 64 & 1))
      continue;
    const size_t count =
        (size_t)(tni_local_cache(local)->top[c] - local->stack[c]);
    if (count > 1)
      tni_local_flush(local, c, (count + 1) / 2);
  }
  local->busy[0] = local->busy[1] = 0;
}

/* Drop pages that are empty, but those that gave blocks since the last tick. */
static void
purge_pages(tni_heap_local *local, bool all)
{
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++) {
    tni_heap_page *next;
    for (tni_heap_page *page = local->partial[c]; page; page = next) {
      next = page->next;
      if (page->free == page->blocks && (all || local->tick - page->age >= 2)) {
        tni_local_drop_page(local, page);
      }
    }
  }
}

/* Bytes of free blocks that are resident. */
static size_t
purge_free_bytes(const tni_heap_page *page)
{
  const size_t free = page->free * page->size;
  size_t clean = 0;
  for (uint32_t i = 0; i < page->slices; i++)
    clean += (size_t)__builtin_popcount(page[i].clean);
  clean <<= page->space->slice_log2 - 4;
  return free > clean ? free - clean : 0;
}

/* Purge holes in pages that gave nothing in the last two ticks, until the clock
 * says end_ns.  *later: bytes that are free in pages whose turn is later. */
static size_t
purge_holes(tni_heap_local *local, bool all, uint64_t end_ns, size_t *later)
{
  unsigned looked = 0;
  size_t purged = 0;
  bool is_late = false;
  *later = 0;
  for (tni_heap_page *page = local->all; page; page = page->all_next) {
    if (page->free == 0 || page->scanned == page->free)
      continue;
    if (is_late || (!all && local->tick - page->age < 2)) {
      *later += purge_free_bytes(page);
      continue;
    }
    purged += tni_page_purge_holes(page);
    page->scanned = (uint16_t)page->free;
    if (++looked % PURGE_LOOK == 0)
      is_late = tni_os_clock_ns() > end_ns;
  }
  tni_store_relaxed(&local->holes, tni_load_relaxed(&local->holes) + purged);
  return purged;
}

size_t
tni_purge_local(tni_heap_local *local)
{
  size_t later;
  tni_local_flush_all(local);
  purge_pages(local, true);
  return purge_holes(local, true, UINT64_MAX, &later);
}

void
tni_purge_empty(tni_heap_local *local)
{
  purge_pages(local, true);
}

void
tni_purge_request(void)
{
  tni_add_relaxed(&purge_requests, 1);
}

/* Whether enough came back since the last tick that there should be a next one
 * soon, with or without slow steps. */
static bool
purge_has_much(const tni_heap_local *local)
{
  const ptrdiff_t given = (ptrdiff_t)tni_load_relaxed(&local->given);
  const ptrdiff_t most = (ptrdiff_t)local->most_given;
  const size_t known =
      local->known_dirty + (given > 0 ? (size_t)given / 16 : 0);
  return tni_slices_dirty() > PURGE_FLOOR + known ||
         given + (ptrdiff_t)PURGE_FLOOR < most - most / 16;
}

/* From one tick to the next, when it took so long: [purge.budget]. */
static uint64_t
purge_pause(uint64_t took_ns)
{
  const uint64_t pause = took_ns * PURGE_SHARE;
  return pause > PURGE_TICK_NS ? pause : PURGE_TICK_NS;
}

void
tni_purge_look(tni_heap_local *local)
{
  const uint32_t requests = tni_load_relaxed(&purge_requests);
  const uint64_t now = tni_os_clock_ns();
  if (requests != local->requests) {
    local->requests = requests;
    (void)tni_purge_local(local);
    (void)tni_slices_purge(SIZE_MAX);
    return;
  }
  if (!local->is_trapped && purge_has_much(local))
    purge_trap(local);
  if (now < local->tick_ns)
    return;
  local->tick++;
  size_t later;
  tni_remote_collect(local);
  purge_stacks(local);
  purge_pages(local, false);
  (void)purge_holes(local, false, now + PURGE_LIMIT_NS, &later);
  const size_t surplus = tni_slices_surplus(now, PURGE_TICK_NS);
  if (surplus > 0)
    (void)tni_slices_purge(surplus);
  const uint64_t done = tni_os_clock_ns();
  local->tick_ns = done + purge_pause(done - now);
  const ptrdiff_t given = (ptrdiff_t)tni_load_relaxed(&local->given);
  local->most_given = (size_t)given;
  local->known_dirty = 0;
  /* Whether there is enough left to come back for soon. */
  if (later + tni_slices_dirty() >
      PURGE_FLOOR + (given > 0 ? (size_t)given / 4 : 0))
    purge_trap(local);
  else
    purge_lift(local);
}
