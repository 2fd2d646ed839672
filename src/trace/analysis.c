/* analysis.c -- what a recorded run did with its memory; see analysis.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/analysis_life.h"
#include "trace/analysis_time.h"

tni_analysis *
tni_analysis_create(tni_trace *trace)
{
  tni_analysis *const a = tni_store_get(1, sizeof *a);
  a->trace = trace;
  tni_names_init(&a->names, trace);
  a->path_of = tni_store_get(tni_trace_nodes(trace), sizeof *a->path_of);
  a->site_of = tni_store_get(tni_trace_frames(trace), sizeof *a->site_of);
  a->paths = tni_store_grow(NULL, &a->path_room, 1, sizeof *a->paths);
  a->sites = tni_store_grow(NULL, &a->site_room, 1, sizeof *a->sites);
  a->series = tni_store_grow(NULL, &a->series_room, 1, sizeof *a->series);
  a->path_count = a->site_count = a->series_count = 1;
  a->sites[0].frame = TNI_TRACE_NONE;
  a->sites[0].list = TNI_BLOCK_LIST_EMPTY;
  tni_live_init(&a->blocks);
  tni_heapmap_init(&a->map);
  tni_resident_init(&a->resident, trace);
  tni_contexts_init(&a->contexts, trace, &a->names);
  tni_pools_init(&a->pools, &a->names);
  tni_life_init(a);
  tni_time_init(a);
  return a;
}

void
tni_analysis_close(tni_analysis *a)
{
  if (a == NULL)
    return;
  tni_life_fini(a);
  tni_names_fini(&a->names);
  tni_live_fini(&a->blocks);
  tni_heapmap_fini(&a->map);
  tni_resident_fini(&a->resident);
  tni_contexts_fini(&a->contexts);
  tni_pools_fini(&a->pools);
  free(a->path_of);
  free(a->site_of);
  tni_map_fini(&a->lines);
  free(a->paths);
  free(a->sites);
  free(a->series);
  free(a->dirty);
  free(a->suppressed);
  tni_trace_close(a->trace);
  free(a);
}

/* ---- Paths and sites ------------------------------------------------------- */

/* A line of source may be compiled more than once, as what is inlined is; for
 * its author it is one site.  Where the number of the line's site is noted; NULL
 * without a line: then each frame is a site of its own. */
static uint32_t *
analysis_same_line(tni_analysis *a, uint32_t frame, bool *is_new)
{
  const tni_symbol_frame *const f =
      tni_names_shown(tni_names_place(&a->names, frame));
  if (f->line == 0)
    return NULL;
  const uint64_t texts =
      tni_texts_hash(f->function) * 3 + tni_texts_hash(f->file ? f->file : "");
  return tni_map_enter(&a->lines, texts, f->line, is_new);
}

static uint32_t
analysis_site(tni_analysis *a, uint32_t node)
{
  const uint32_t site_node = tni_names_site(&a->names, node);
  if (site_node == 0)
    return 0;
  const uint32_t frame = tni_trace_node_at(a->trace, site_node)->frame;
  if (frame == TNI_TRACE_NONE)
    return 0;
  if (a->site_of[frame])
    return a->site_of[frame];
  bool is_new = true;
  uint32_t *const same = analysis_same_line(a, frame, &is_new);
  if (!is_new)
    return a->site_of[frame] = *same;
  if (same)
    *same = (uint32_t)a->site_count;
  a->sites = tni_store_grow(a->sites, &a->site_room, a->site_count + 1,
                            sizeof *a->sites);
  tni_site *const site = &a->sites[a->site_count];
  *site = (tni_site){.frame = frame,
                     .node = site_node,
                     .function = tni_names_function_of(&a->names, frame),
                     .least_size = UINT64_MAX,
                     .list = TNI_BLOCK_LIST_EMPTY};
  return a->site_of[frame] = (uint32_t)a->site_count++;
}

static uint32_t
analysis_path(tni_analysis *a, uint32_t node, tn_trace_api api)
{
  uint32_t at = a->path_of[node];
  for (; at != 0; at = a->paths[at].next)
    if (a->paths[at].api == api)
      return at;
  a->paths = tni_store_grow(a->paths, &a->path_room, a->path_count + 1,
                            sizeof *a->paths);
  at = (uint32_t)a->path_count++;
  a->paths[at] = (tni_path){.node = node,
                            .next = a->path_of[node],
                            .site = analysis_site(a, node),
                            .api = (uint8_t)api};
  a->path_of[node] = at;
  return at;
}

/* ---- What is not to be told ------------------------------------------------ */

static bool
analysis_is_suppressed(tni_analysis *a, uint32_t node)
{
  for (; a->suppress != NULL && node != 0;
       node = tni_trace_node_at(a->trace, node)->parent) {
    const uint32_t frame = tni_trace_node_at(a->trace, node)->frame;
    if (frame == TNI_TRACE_NONE)
      continue;
    uint8_t *const known = &a->suppressed[frame];
    if (*known == 0) {
      const uint32_t module = tni_trace_frame_at(a->trace, frame)->module;
      const char *const path =
          module == TNI_TRACE_NONE
              ? NULL
              : tni_trace_module_at(a->trace, module)->path;
      const tni_place *const place = tni_names_place(&a->names, frame);
      *known = tni_suppress_fits(a->suppress, place, path) ? 2 : 1;
    }
    if (*known == 2)
      return true;
  }
  return false;
}

/* What is left by stacks that fit a pattern goes from path, site and total. */
static void
analysis_suppress_left(tni_analysis *a)
{
  for (size_t i = 1; i < a->path_count; i++) {
    tni_path *const path = &a->paths[i];
    tni_site *const site = &a->sites[path->site];
    if (path->left_blocks == 0 || !analysis_is_suppressed(a, path->node))
      continue;
    site->left_blocks -= path->left_blocks;
    site->left_bytes -= path->left_bytes;
    site->suppressed_blocks += path->left_blocks;
    site->is_growing &= site->left_blocks != 0;
    a->totals.left_blocks -= path->left_blocks;
    a->totals.left_bytes -= path->left_bytes;
    a->totals.suppressed_blocks += path->left_blocks;
    a->totals.suppressed_bytes += path->left_bytes;
    path->left_blocks = path->left_bytes = 0;
  }
}

/* ---- Live bytes ------------------------------------------------------------ */

/* What a path had at the run's peak is what it has at its first change after
 * the peak: so nothing is copied when there is a new one. */
static void
analysis_settle_peak(tni_analysis *a, tni_path *path)
{
  tni_site *const site = &a->sites[path->site];
  if (path->epoch != a->epoch) {
    path->peak_blocks = path->live_blocks;
    path->peak_bytes = path->live_bytes;
    path->epoch = a->epoch;
  }
  if (site->epoch != a->epoch) {
    site->peak_blocks = site->live_blocks;
    site->peak_bytes = site->live_bytes;
    site->epoch = a->epoch;
  }
}

static void
analysis_note_most(tni_analysis *a, tni_path *path)
{
  tni_site *const site = &a->sites[path->site];
  if (path->live_bytes > path->most_bytes) {
    path->most_bytes = path->live_bytes;
    path->most_blocks = path->live_blocks;
  }
  if (site->live_bytes > site->most_bytes)
    site->most_bytes = site->live_bytes;
  if (site->live_blocks > site->most_blocks)
    site->most_blocks = site->live_blocks;
  if (a->totals.live_bytes < a->totals.peak_bytes)
    return;
  /* Of equal peaks the last counts, as for DHAT. */
  a->totals.peak_bytes = a->totals.live_bytes;
  a->totals.peak_blocks = a->totals.live_blocks;
  a->totals.peak_ns = a->begin_ns;
  a->epoch++;
}

/* The live sums of a path change by blocks and bytes (modulo 2^64). */
static void
analysis_change(tni_analysis *a, uint32_t path_index, uint64_t blocks,
                uint64_t bytes, uint64_t now_ns)
{
  tni_path *const path = &a->paths[path_index];
  tni_site *const site = &a->sites[path->site];
  analysis_settle_peak(a, path);
  path->live_blocks += blocks;
  path->live_bytes += bytes;
  site->live_blocks += blocks;
  site->live_bytes += bytes;
  a->totals.live_blocks += blocks;
  a->totals.live_bytes += bytes;
  const uint64_t peaks = a->epoch;
  if ((int64_t)bytes >= 0 && (int64_t)blocks >= 0)
    analysis_note_most(a, path);
  if (a->epoch != peaks)
    a->totals.peak_ns = now_ns;
  tni_time_touch(a, path_index);
  tni_time_note(a);
}

/* ---- Events ---------------------------------------------------------------- */

static void
analysis_remove(tni_analysis *a, uint32_t block, const tni_trace_event *event,
                uint64_t now_ns)
{
  const tni_block b = a->blocks.items[block];
  tni_path *const path = &a->paths[b.path];
  tni_site *const site = &a->sites[path->site];
  const uint64_t life = now_ns > b.born_ns ? now_ns - b.born_ns : 0;
  const uint64_t bytes = b.size * b.weight;
  path->lifetime_ns += life * b.weight;
  site->lifetime_ns += life * b.weight;
  tni_life_death(a, block, event);
  tni_heapmap_change(&a->map, b.process, b.address, b.size, false);
  if (event != NULL) {
    site->frees += b.weight;
    site->lifetimes[tni_life_class(life, TNI_LIFETIMES)] += b.weight;
  } else {
    path->left_blocks += b.weight;
    path->left_bytes += bytes;
    site->left_blocks += b.weight;
    site->left_bytes += bytes;
    a->totals.left_blocks += b.weight;
    a->totals.left_bytes += bytes;
  }
  if (b.resizes)
    site->final_sizes[tni_life_class(b.size, TNI_SIZES)]++;
  analysis_change(a, b.path, (uint64_t)0 - b.weight, (uint64_t)0 - bytes,
                  now_ns);
  if (site->live_blocks == 0) {
    site->generations++;
    if (site->generation_bytes > site->most_generation)
      site->most_generation = site->generation_bytes;
    site->generation_bytes = 0;
  }
  tni_live_remove(&a->blocks, block);
}

/* How many blocks a new one stands for.  A sampled one of n bytes was taken with
 * probability p = 1 - exp(-n / rate), so it is 1 / p blocks: sums of these are
 * right on the average.  The fraction becomes one more block as often as it is
 * large, so that what was added can be taken away again. */
static uint32_t
analysis_weight(tni_analysis *a, const tni_trace_event *e)
{
  const tni_trace_process *const p = tni_trace_process_at(a->trace, e->process);
  if (TN_LIKELY(p->mode != TN_TRACE_SAMPLED || p->rate == 0))
    return 1;
  a->totals.sampled = p->rate;
  const double weight =
      1 / -expm1(-(double)(e->size ? e->size : 1) / (double)p->rate);
  if (!(weight < 1e9))
    return 1000000000;
  /* A Weyl sequence: evenly spread, the same each time. */
  const double dice =
      (double)(uint32_t)(++a->weighed * 2654435769u) / 4294967296.0;
  const uint32_t whole = (uint32_t)weight;
  return whole + (weight - whole > dice);
}

static void
analysis_alloc(tni_analysis *a, const tni_trace_event *e)
{
  /* A block that is still thought to be there was freed unseen. */
  const uint32_t stale = tni_live_find(&a->blocks, e->process, e->address);
  if (stale != TNI_BLOCK_NONE)
    analysis_remove(a, stale, NULL, e->time_ns);
  const uint32_t path = analysis_path(a, e->stack, e->api);
  const uint32_t index = tni_live_add(&a->blocks, e->process, e->address);
  tni_block *const b = &a->blocks.items[index];
  b->size = b->first_size = e->size;
  b->born_ns = e->time_ns;
  b->thread = e->thread;
  b->path = path;
  b->stack = e->stack;
  b->context = e->context;
  b->sp = e->sp;
  b->api = (uint8_t)e->api;
  const uint32_t weight = b->weight = analysis_weight(a, e);
  const uint64_t bytes = e->size * weight;
  tni_life_birth(a, index);
  tni_heapmap_change(&a->map, e->process, e->address, e->size, true);
  a->paths[path].blocks += weight;
  a->paths[path].bytes += bytes;
  tni_site *const site = &a->sites[a->paths[path].site];
  site->blocks += weight;
  site->bytes += bytes;
  site->generation_bytes += bytes;
  if (e->size < site->least_size)
    site->least_size = e->size;
  if (e->size > site->most_size)
    site->most_size = e->size;
  a->totals.allocs += weight;
  a->totals.blocks += weight;
  a->totals.bytes += bytes;
  a->buckets[a->bucket].allocs += weight;
  a->buckets[a->bucket].bytes += bytes;
  analysis_change(a, path, weight, bytes, e->time_ns);
}

/* Which functions belong together. */
static int
analysis_family(uint32_t api)
{
  switch (api) {
  case TN_TRACE_API_NEW:
  case TN_TRACE_API_DELETE: return 1;
  case TN_TRACE_API_NEW_ARRAY:
  case TN_TRACE_API_DELETE_ARRAY: return 2;
  case TN_TRACE_API_NONE:
  case TN_TRACE_API_CLIENT: return -1;
  default: return 0;
  }
}

static void
analysis_check_match(tni_analysis *a, const tni_block *b,
                     const tni_trace_event *e)
{
  const int was = analysis_family(b->api), is = analysis_family(e->api);
  if (was == is || was < 0 || is < 0)
    return;
  size_t i = 0;
  while (i < a->mismatch_count &&
         (a->mismatches[i].path != b->path ||
          a->mismatches[i].node != e->stack || a->mismatches[i].api != e->api))
    i++;
  if (i == TNI_MISMATCHES)
    return;
  if (i == a->mismatch_count)
    a->mismatches[a->mismatch_count++] =
        (tni_mismatch){b->path, e->stack, (uint8_t)e->api, 0};
  a->mismatches[i].count++;
}

static void
analysis_note_free_place(tni_analysis *a, tni_site *site, uint32_t stack,
                         uint32_t weight)
{
  const uint32_t node = stack ? tni_names_site(&a->names, stack) : 0;
  const uint32_t frame =
      node ? tni_trace_node_at(a->trace, node)->frame : TNI_TRACE_NONE;
  for (uint32_t i = 0; i < site->free_count; i++) {
    const uint32_t other = site->frees_at[i].node;
    if (other == node ||
        (other && tni_trace_node_at(a->trace, other)->frame == frame)) {
      site->frees_at[i].blocks += weight;
      return;
    }
  }
  if (site->free_count < TNI_FREE_PLACES)
    site->frees_at[site->free_count++] = (tni_free_place){node, weight};
}

static void
analysis_free(tni_analysis *a, const tni_trace_event *e)
{
  const uint32_t block = tni_live_find(&a->blocks, e->process, e->address);
  const uint32_t weight =
      block == TNI_BLOCK_NONE ? 1 : a->blocks.items[block].weight;
  a->totals.frees += weight;
  a->buckets[a->bucket].frees += weight;
  if (block == TNI_BLOCK_NONE) {
    /* A forked child may free what its parent had. */
    if (tni_trace_process_at(a->trace, e->process)->origin != TN_TRACE_FORKED)
      a->totals.unknown_frees++;
    return;
  }
  const tni_block *const b = &a->blocks.items[block];
  analysis_check_match(a, b, e);
  analysis_note_free_place(a, &a->sites[a->paths[b->path].site], e->stack,
                           weight);
  analysis_remove(a, block, e, e->time_ns);
}

static void
analysis_resize(tni_analysis *a, const tni_trace_event *e)
{
  tni_thread_state *const t = &a->threads[e->thread];
  uint32_t block = t->aside;
  t->aside = TNI_BLOCK_NONE;
  if (block == TNI_BLOCK_NONE)
    block = tni_live_find(&a->blocks, e->process, e->old);
  a->totals.resizes++;
  if (block == TNI_BLOCK_NONE) {
    if (e->address != 0)
      analysis_alloc(a, e);
    return;
  }
  if (e->address == 0) {
    tni_live_place(&a->blocks, block, e->old);
    return;
  }
  const uint32_t there = tni_live_find(&a->blocks, e->process, e->address);
  if (there != TNI_BLOCK_NONE && there != block)
    analysis_remove(a, there, NULL, e->time_ns);
  tni_block *const b = &a->blocks.items[block];
  tni_path *const path = &a->paths[b->path];
  tni_site *const site = &a->sites[path->site];
  analysis_check_match(a, b, e);
  const uint64_t old_size = b->size;
  site->resizes++;
  site->grown += b->resizes++ == 0;
  if (e->address != e->old) {
    site->moves++;
    site->resize_bytes += old_size < e->size ? old_size : e->size;
  }
  if (e->size > site->most_size)
    site->most_size = e->size;
  b->size = e->size;
  b->stack = e->stack ? e->stack : b->stack;
  b->api = (uint8_t)e->api;
  tni_heapmap_change(&a->map, e->process, b->address, old_size, false);
  tni_heapmap_change(&a->map, e->process, e->address, e->size, true);
  tni_live_place(&a->blocks, block, e->address);
  path->blocks++;
  path->bytes += e->size;
  path->resizes++;
  site->bytes += e->size;
  a->totals.blocks++;
  a->totals.bytes += e->size;
  a->buckets[a->bucket].bytes += e->size;
  if (e->size > old_size)
    site->generation_bytes += e->size - old_size;
  analysis_change(a, (uint32_t)(path - a->paths), 0, e->size - old_size,
                  e->time_ns);
}

static void
analysis_left(tni_analysis *a, const tni_trace_event *e)
{
  const uint32_t block = tni_live_find(&a->blocks, e->process, e->address);
  a->totals.has_marks = true;
  if (block == TNI_BLOCK_NONE || e->extra[0] >= TN_TRACE_MARKS)
    return;
  tni_block *const b = &a->blocks.items[block];
  b->mark = (uint8_t)(e->extra[0] + 1);
  if (analysis_is_suppressed(a, b->stack) ||
      analysis_is_suppressed(a, a->paths[b->path].node))
    return;
  if (e->extra[0] == TN_TRACE_REACHABLE || e->extra[0] == TN_TRACE_INTERIOR)
    return;
  /* Of the last resize, as memcheck says it. */
  tni_site *const site = &a->sites[analysis_site(a, b->stack)];
  const uint64_t bytes = b->size * b->weight;
  if (e->extra[0] == TN_TRACE_INDIRECT) {
    site->indirect_blocks += b->weight;
    site->indirect_bytes += bytes;
    a->totals.indirect_blocks += b->weight;
    a->totals.indirect_bytes += bytes;
    return;
  }
  site->lost_blocks += b->weight;
  site->lost_bytes += bytes;
  a->totals.lost_blocks += b->weight;
  a->totals.lost_bytes += bytes;
}

static void
analysis_close_process(tni_analysis *a, uint32_t process, uint64_t now_ns)
{
  for (uint32_t i = 0; i < tni_trace_threads(a->trace); i++) {
    if (tni_trace_thread_at(a->trace, i)->process != process)
      continue;
    tni_life_end_run(a, i);
    while (a->threads[i].list.oldest != TNI_BLOCK_NONE)
      analysis_remove(a, a->threads[i].list.oldest, NULL, now_ns);
  }
  tni_resident_drop(&a->resident, process);
  a->parts = tni_resident_now(&a->resident, a->totals.live_bytes);
  tni_pools_drop(&a->pools, process);
}

static void
analysis_tally(tni_analysis *a, const tni_trace_event *e)
{
  const uint32_t index = analysis_path(a, e->stack, e->api);
  tni_path *const path = &a->paths[index];
  tni_site *const site = &a->sites[path->site];
  const uint64_t left_blocks = e->extra[0] - e->extra[2];
  const uint64_t left_bytes = e->extra[1] - e->extra[3];
  path->blocks += e->extra[0];
  path->bytes += e->extra[1];
  path->most_bytes += e->extra[4];
  path->most_blocks += e->extra[5];
  path->left_blocks += left_blocks;
  path->left_bytes += left_bytes;
  site->blocks += e->extra[0];
  site->bytes += e->extra[1];
  site->frees += e->extra[2];
  site->most_bytes += e->extra[4];
  site->most_blocks += e->extra[5];
  site->left_blocks += left_blocks;
  site->left_bytes += left_bytes;
  a->totals.allocs += e->extra[0];
  a->totals.blocks += e->extra[0];
  a->totals.bytes += e->extra[1];
  a->totals.frees += e->extra[2];
  a->totals.left_blocks += left_blocks;
  a->totals.left_bytes += left_bytes;
  a->totals.has_sums = true;
}

void
tni_analysis_add(tni_analysis *a, const tni_trace_event *e)
{
  a->totals.events++;
  tni_time_advance(a, e->time_ns);
  switch (e->kind) {
  case TNI_TRACE_ALLOC:
    tni_life_step(a, e);
    analysis_alloc(a, e);
    break;
  case TNI_TRACE_FREE:
    tni_life_step(a, e);
    analysis_free(a, e);
    break;
  case TNI_TRACE_RESIZE:
    tni_life_step(a, e);
    analysis_resize(a, e);
    break;
  case TNI_TRACE_RESIZE_OPEN: {
    const uint32_t block = tni_live_find(&a->blocks, e->process, e->address);
    if (block != TNI_BLOCK_NONE)
      tni_live_set_aside(&a->blocks, block);
    a->threads[e->thread].aside = block;
    break;
  }
  case TNI_TRACE_THREAD_CLOSE: tni_life_end_run(a, e->thread); break;
  case TNI_TRACE_PROCESS_CLOSE:
    analysis_close_process(a, e->process, e->time_ns);
    break;
  case TNI_TRACE_LEFT: analysis_left(a, e); break;
  case TNI_TRACE_LOST: a->totals.lost += e->extra[0]; break;
  case TNI_TRACE_TALLY: analysis_tally(a, e); break;
  case TNI_TRACE_POOL_OPEN:
  case TNI_TRACE_POOL_CLOSE:
  case TNI_TRACE_POOL_RESET:
  case TNI_TRACE_POOL_ALLOC:
  case TNI_TRACE_POOL_FREE: tni_pools_add(&a->pools, e); break;
  default: tni_time_map(a, e); break;
  }
}

void
tni_analysis_finish(tni_analysis *a)
{
  for (uint32_t i = 0; i < tni_trace_processes(a->trace); i++)
    analysis_close_process(a, i, a->end_ns);
  tni_time_finish(a);
  analysis_suppress_left(a);
  tni_heapmap_sort(&a->map);
  for (size_t i = 1; i < a->path_count; i++)
    analysis_settle_peak(a, &a->paths[i]);
  for (size_t i = 0; i < a->site_count; i++)
    if (a->sites[i].least_size == UINT64_MAX)
      a->sites[i].least_size = 0;
  TN_CHECK_SLOW(tni_analysis_is_valid(a), "analysis.peak");
}

tn_status
tni_analysis_open(tni_analysis **out, const char *path,
                  const tni_suppress *suppress, char *problem, size_t size)
{
  tni_trace *trace;
  const tn_status status = tni_trace_open(path, &trace, problem, size);
  if (status != TN_OK)
    return status;
  tni_analysis *const a = tni_analysis_create(trace);
  a->suppress = suppress;
  a->suppressed = tni_store_get(tni_trace_frames(trace), 1);
  tni_trace_event event;
  while (tni_trace_next(trace, &event))
    tni_analysis_add(a, &event);
  tni_analysis_finish(a);
  *out = a;
  return TN_OK;
}

/* ---- Questions ------------------------------------------------------------- */

uint64_t
tni_analysis_at(const tni_analysis *a, const tni_path *path, uint32_t instant)
{
  uint32_t at = path->series;
  while (at != 0 && a->series[at].instant > instant)
    at = a->series[at].older;
  return at ? a->series[at].bytes : 0;
}

bool
tni_analysis_is_valid(const tni_analysis *a)
{
  uint64_t path_live = 0, path_peak = 0, site_live = 0, site_peak = 0;
  for (size_t i = 1; i < a->path_count; i++) {
    const bool is_settled = a->paths[i].epoch == a->epoch;
    path_live += a->paths[i].live_bytes;
    path_peak += is_settled ? a->paths[i].peak_bytes : a->paths[i].live_bytes;
  }
  uint64_t blocks = 0;
  for (size_t i = 0; i < a->site_count; i++) {
    const tni_site *const s = &a->sites[i];
    site_live += s->live_bytes;
    site_peak += s->epoch == a->epoch ? s->peak_bytes : s->live_bytes;
    blocks += s->live_blocks;
    if (s->blocks !=
        s->frees + s->left_blocks + s->suppressed_blocks + s->live_blocks)
      return false;  // [analysis.ends]
  }
  // [analysis.live] and [analysis.peak]
  return path_live == a->totals.live_bytes && site_live == path_live &&
         path_peak == a->totals.peak_bytes && site_peak == path_peak &&
         blocks == a->blocks.live && tni_resident_is_valid(&a->resident) &&
         tni_pools_is_valid(&a->pools);
}
