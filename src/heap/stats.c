/* stats.c -- what is in a heap; see <tenure/heap.h> */
#include "heap/heap.h"
#include "heap/remote.h"
#include "heap/window.h"

/* Bytes of a block. */
static size_t
stats_granted(const tni_heap_local *local, const void *block)
{
  const tni_heap_page *const page = tni_heap_page_of(local->heap, block);
  return tni_page_granted(page, tni_address(block) -
                                    tni_address(tni_page_start(page)));
}

/* Bytes on the stacks of a handle that nobody else is using. */
static size_t
stats_cached(tni_heap_local *local)
{
  size_t bytes = 0;
  void **window;
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++) {
    for (size_t i = tni_local_count(local, c); i > 0; i--)
      bytes += stats_granted(local, local->stack[c][i]);
    for (size_t i = tni_window_count(local, c, &window); i > 0; i--)
      bytes += stats_granted(local, window[i]);
  }
  for (unsigned i = 0; i < TNI_QUARANTINE; i++)
    if (tni_local_waiting(local, i))
      bytes += stats_granted(local, tni_local_waiting(local, i));
  return bytes;
}

void
tn_heap_get_stats(tn_heap *heap, tn_heap_stats *stats)
{
  *stats = (tn_heap_stats){
      .pages = tni_load_relaxed(&heap->taken),
      .peak = tni_load_relaxed(&heap->peak),
      .large = tni_load_relaxed(&heap->large_bytes),
      .grown = tni_load_relaxed(&heap->grown),
      .moved = tni_load_relaxed(&heap->moved),
      .purged = tni_slices_purged(),
  };
  const tni_heap_local *const mine = tni_local_of(heap);
  size_t given = 0;
  tni_heap_lock();
  for (tni_heap_local *local = heap->locals; local; local = local->next) {
    given += tni_load_relaxed(&local->given);
    stats->remote += tni_load_relaxed(&local->remote);
    stats->batches += tni_load_relaxed(&local->batches);
    stats->unzeroed += tni_load_relaxed(&local->untouched);
    stats->holes += tni_load_relaxed(&local->holes);
    stats->lodged += tni_load_relaxed(&local->lodged);
    stats->handles++;
    if (local == mine || tni_load_relaxed(&local->state) == TNI_LOCAL_IDLE)
      stats->cached += stats_cached(local);
  }
  tni_heap_unlock();
  stats->purged += stats->holes;
  stats->live = given + stats->large - stats->cached;
}

/* A name as JSON has it, without control characters, cut to fit. */
static const char *
stats_escape(const char *name, char *out, size_t size)
{
  size_t n = 0;
  for (; *name && n + 3 < size; name++) {
    if ((unsigned char)*name < ' ')
      continue;
    if (*name == '"' || *name == '\\')
      out[n++] = '\\';
    out[n++] = *name;
  }
  out[n] = '\0';
  return out;
}

size_t
tn_heap_json(tn_heap *heap, char *buffer, size_t size)
{
  char name[100];
  tn_heap_stats s;
  tn_heap_get_stats(heap, &s);
  const size_t retained = s.pages > s.live ? s.pages - s.live : 0;
  const size_t percent =
      s.pages ? (size_t)((double)retained * 100 / (double)s.pages) : 0;
  size_t n = tni_format(
      buffer, size,
      "{\"name\": \"%s\", \"live\": %zu, \"cached\": %zu, \"pages\": %zu, "
      "\"peak\": %zu, \"large\": %zu, \"retained\": %zu, "
      "\"fragmentation\": %zu.%zu%zu, ",
      stats_escape(heap->how.name     ? heap->how.name
                   : heap->is_default ? "default"
                                      : "",
                   name, sizeof name),
      s.live, s.cached, s.pages, s.peak, s.large, retained, percent / 100,
      percent / 10 % 10, percent % 10);
  n += tni_format(
      buffer + n, size - n,
      "\"purged\": %zu, \"holes\": %zu, \"remote\": %zu, \"batches\": %zu, "
      "\"grown\": %zu, \"moved\": %zu, \"unzeroed\": %zu, \"lodged\": %zu, "
      "\"handles\": %zu}",
      s.purged, s.holes, s.remote, s.batches, s.grown, s.moved, s.unzeroed,
      s.lodged, s.handles);
  return n;
}

/* ---- The walk ------------------------------------------------------------------------ */

/* Set the bits of a block that nobody has, or clear them again. */
static void
stats_mark_one(tni_heap_local *local, void *block, bool is_free)
{
  tni_heap_page *const page = tni_heap_page_of(local->heap, block);
  if (tni_page_kind_of(page) != TNI_PAGE_SMALL)
    return;
  const size_t offset = tni_address(block) - tni_address(tni_page_start(page));
  uint32_t index = tni_page_index(page, offset);
  const uint32_t end =
      index + (uint32_t)(tni_page_granted(page, offset) / page->size);
  for (; index < end; index++) {
    const uint64_t bit = (uint64_t)1 << index % 64;
    if (is_free)
      page->bits[index / 64] |= bit;
    else
      page->bits[index / 64] &= ~bit;
  }
}

/* Set the bits of blocks that lie on a stack or wait, so that the walk sees
 * them as free; clear them again. */
static void
stats_mark(tni_heap_local *local, bool is_free)
{
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++) {
    void **window;
    for (size_t i = tni_local_count(local, c); i > 0; i--)
      stats_mark_one(local, local->stack[c][i], is_free);
    for (size_t i = tni_window_count(local, c, &window); i > 0; i--)
      stats_mark_one(local, window[i], is_free);
  }
  for (unsigned i = 0; i < TNI_QUARANTINE; i++)
    if (tni_local_waiting(local, i))
      stats_mark_one(local, tni_local_waiting(local, i), is_free);
}

static bool
stats_visit(const tni_heap_page *page, tn_heap_visit_fn *visit, void *argument)
{
  unsigned char *const start = tni_page_start(page);
  for (uint32_t i = 0; i < page->blocks; i++) {
    if (page->bits[i / 64] >> i % 64 & 1)
      continue;
    const size_t granted = tni_page_granted(page, i * page->size);
    if (!visit(argument, start + i * page->size, granted))
      return false;
    i += (uint32_t)(granted / page->size) - 1;
  }
  return true;
}

bool
tn_heap_walk(tn_heap *heap, tn_heap_visit_fn *visit, void *argument)
{
  bool go_on = true;
  tni_heap_local *local;
  for (local = heap->locals; local; local = local->next) {
    tni_local_begin(local);
    tni_remote_collect(local);
  }
  for (local = heap->locals; local; local = local->next)
    stats_mark(local, true);
  for (local = heap->locals; local; local = local->next)
    for (tni_heap_page *page = local->all; page && go_on; page = page->all_next)
      go_on = stats_visit(page, visit, argument);
  for (local = heap->locals; local; local = local->next) {
    stats_mark(local, false);
    tni_local_end(local);
  }
  for (tni_heap_page *page = heap->large; page && go_on; page = page->all_next)
    go_on = visit(argument, tni_page_start(page), page->size);
  return go_on;
}
