/* analysis_time.c -- the run over time; see analysis_time.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/analysis_time.h"

#include <stdlib.h>

enum {
  TIME_EVERY = TNI_BUCKETS / TNI_INSTANTS,
  TIME_PAGE = 4096,
  TIME_FEW = TIME_PAGE / 8,        // bytes: a page with less is kept by a few
  TIME_MOST_BLOCKS = 8 * 1000000,  // more are not looked at page by page
};

void
tni_time_init(tni_analysis *a)
{
  uint64_t begin = UINT64_MAX, end = 0;
  for (uint32_t i = 0; i < tni_trace_processes(a->trace); i++) {
    const tni_trace_process *const p = tni_trace_process_at(a->trace, i);
    begin = p->begin_ns < begin ? p->begin_ns : begin;
    end = p->end_ns > end ? p->end_ns : end;
  }
  a->begin_ns = begin < end ? begin : 0;
  a->end_ns = end > a->begin_ns ? end : a->begin_ns + 1;
  a->bucket_ns = (a->end_ns - a->begin_ns) / TNI_BUCKETS + 1;
  for (uint32_t i = 0; i < TNI_INSTANTS; i++)
    a->instant_ns[i] =
        a->begin_ns + (uint64_t)(i + 1) * TIME_EVERY * a->bucket_ns;
}

/* ---- Pages that few blocks keep ------------------------------------------- */

typedef struct time_page {
  uint64_t bytes;
  uint32_t site;
} time_page;

static time_page *
time_pages(tni_analysis *a, tni_map *map)
{
  time_page *pages = NULL;
  size_t room = 0;
  /* Blocks that came one after another mostly lie in one page. */
  uint64_t last = UINT64_MAX;
  uint32_t at = 0, process = 0;
  for (size_t i = 0; i < a->blocks.used; i++) {
    const tni_block *const b = &a->blocks.items[i];
    if (b->address == 0 || b->size == 0)
      continue;
    /* A block of a page and more keeps its own pages. */
    if (b->size >= TIME_PAGE)
      continue;
    const uint64_t first = b->address / TIME_PAGE;
    const uint64_t end = (b->address + b->size - 1) / TIME_PAGE;
    for (uint64_t page = first; page <= end; page++) {
      if (pages == NULL || page != last || b->process != process) {
        bool is_new;
        uint32_t *const known = tni_map_enter(map, page, b->process, &is_new);
        if (is_new)
          *known = (uint32_t)map->count - 1;
        pages = tni_store_grow(pages, &room, map->count, sizeof *pages);
        at = *known;
        last = page;
        process = b->process;
      }
      pages[at].bytes += b->size;
      pages[at].site = a->paths[b->path].site;
    }
  }
  return pages;
}

/* Count the pages of which less than an eighth is live; keep the instant where
 * there were most. */
static void
time_note_pages(tni_analysis *a, uint64_t now_ns)
{
  if (a->blocks.live > TIME_MOST_BLOCKS)
    return;
  tni_map map = {0};
  time_page *const pages = time_pages(a, &map);
  uint64_t pinned = 0;
  for (size_t i = 0; i < map.count; i++)
    pinned += pages[i].bytes < TIME_FEW;
  if (pinned > a->totals.pinned_pages) {
    a->totals.pinned_pages = pinned;
    a->totals.pinned_ns = now_ns;
    for (size_t i = 0; i < a->site_count; i++)
      a->sites[i].pages = 0;
    for (size_t i = 0; i < map.count; i++)
      if (pages[i].bytes < TIME_FEW)
        a->sites[pages[i].site].pages++;
  }
  free(pages);
  tni_map_fini(&map);
}

/* ---- Buckets and instants -------------------------------------------------- */

static void
time_instant(tni_analysis *a, uint32_t instant)
{
  for (size_t i = 0; i < a->dirty_count; i++) {
    tni_path *const path = &a->paths[a->dirty[i]];
    path->is_dirty = false;
    const uint64_t last = path->series ? a->series[path->series].bytes : 0;
    if (last == path->live_bytes)
      continue;
    a->series = tni_store_grow(a->series, &a->series_room, a->series_count + 1,
                               sizeof *a->series);
    a->series[a->series_count] =
        (tni_series){path->live_bytes, instant, path->series};
    path->series = (uint32_t)a->series_count++;
  }
  a->dirty_count = 0;
  time_note_pages(a, a->instant_ns[instant]);
}

static void
time_close_bucket(tni_analysis *a)
{
  tni_bucket *const b = &a->buckets[a->bucket];
  b->blocks = a->totals.live_blocks;
  b->mapped = a->resident.mapped;
  tni_heapmap_column(&a->map, a->bucket);
  if ((a->bucket + 1) % TIME_EVERY == 0)
    time_instant(a, a->bucket / TIME_EVERY);
}

void
tni_time_advance(tni_analysis *a, uint64_t now_ns)
{
  const uint64_t since = now_ns > a->begin_ns ? now_ns - a->begin_ns : 0;
  uint64_t to = since / a->bucket_ns;
  if (to >= TNI_BUCKETS)
    to = TNI_BUCKETS - 1;
  while (a->bucket < to) {
    time_close_bucket(a);
    a->buckets[++a->bucket] = (tni_bucket){.most = a->totals.live_bytes,
                                           .least = a->totals.live_bytes,
                                           .resident = a->parts};
  }
}

void
tni_time_note(tni_analysis *a)
{
  tni_bucket *const b = &a->buckets[a->bucket];
  const uint64_t live = a->totals.live_bytes;
  if (live > b->most)
    b->most = live;
  if (live < b->least)
    b->least = live;
}

void
tni_time_touch(tni_analysis *a, uint32_t path)
{
  if (a->paths[path].is_dirty)
    return;
  a->paths[path].is_dirty = true;
  a->dirty = tni_store_grow(a->dirty, &a->dirty_room, a->dirty_count + 1,
                            sizeof *a->dirty);
  a->dirty[a->dirty_count++] = path;
}

/* Live bytes of a site at the instants: never falling, and in the last half
 * still rising, by a quarter at least. */
static bool
time_is_growing(const uint64_t live[TNI_INSTANTS])
{
  const uint32_t last =
      TNI_INSTANTS - 2;  // at the last one the process is gone
  for (uint32_t t = 1; t <= last; t++)
    if (live[t] < live[t - 1])
      return false;
  const uint64_t half = live[last / 2], later = live[last * 3 / 4];
  return later > half && live[last] > later &&
         live[last] - half >= live[last] / 4;
}

static void
time_find_growing(tni_analysis *a)
{
  enum { LEAST = 16 };  // blocks: fewer are a table that was set up
  uint64_t(*const live)[TNI_INSTANTS] =
      tni_store_get(a->site_count, sizeof *live);
  for (size_t i = 1; i < a->path_count; i++)
    for (uint32_t t = 0; t < TNI_INSTANTS; t++)
      live[a->paths[i].site][t] += tni_analysis_at(a, &a->paths[i], t);
  for (size_t i = 0; i < a->site_count; i++)
    a->sites[i].is_growing =
        a->sites[i].left_blocks >= LEAST && time_is_growing(live[i]);
  free(live);
}

void
tni_time_finish(tni_analysis *a)
{
  tni_time_advance(a, UINT64_MAX);
  time_close_bucket(a);
  time_find_growing(a);
}

/* ---- What is resident ------------------------------------------------------ */

void
tni_time_map(tni_analysis *a, const tni_trace_event *e)
{
  tni_totals *const t = &a->totals;
  tni_resident_add(&a->resident, e);
  if (a->resident.mapped > t->peak_mapped)
    t->peak_mapped = a->resident.mapped;
  if (e->kind != TNI_TRACE_SAMPLE)
    return;
  const tni_resident_parts now = a->parts =
      tni_resident_now(&a->resident, t->live_bytes);
  tni_bucket *const b = &a->buckets[a->bucket];
  if (now.resident >= b->resident.resident)
    b->resident = now;
  if (now.resident >= t->peak_resident.resident) {
    t->peak_resident = now;
    t->peak_resident_ns = e->time_ns;
  }
  t->faults = tni_resident_faults(&a->resident);
}
