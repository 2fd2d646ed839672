/* analysis_life.c -- how blocks live and die; see analysis_life.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/analysis_life.h"

#include <stdlib.h>

void
tni_life_init(tni_analysis *a)
{
  const uint32_t count = tni_trace_threads(a->trace);
  a->threads = tni_store_get(count, sizeof *a->threads);
  for (uint32_t i = 0; i < count; i++) {
    a->threads[i].list = TNI_BLOCK_LIST_EMPTY;
    a->threads[i].last_block = TNI_BLOCK_NONE;
    a->threads[i].aside = TNI_BLOCK_NONE;
  }
}

void
tni_life_fini(tni_analysis *a)
{
  const uint32_t count = tni_trace_threads(a->trace);
  for (uint32_t i = 0; i < count; i++)
    tni_calls_fini(&a->threads[i].calls);
  free(a->threads);
}

uint32_t
tni_life_class(uint64_t value, uint32_t most)
{
  const uint32_t i = value ? 64u - (uint32_t)__builtin_clzll(value) : 0;
  return i < most ? i : most - 1;
}

/* ---- Calls ----------------------------------------------------------------- */

void
tni_life_step(tni_analysis *a, const tni_trace_event *event)
{
  tni_thread_state *const t = &a->threads[event->thread];
  t->now++;
  t->is_used = true;
  const tni_context *const c = tni_contexts_get(&a->contexts, event);
  if (c != NULL)
    tni_contexts_enter(&a->contexts, c, &t->calls, t->now);
}

/* The function of the block's own stack that runs inside the call at slot, and
 * how many calls it is out from that of the site. */
static uint32_t
life_level(tni_analysis *a, const tni_block *block, uint64_t slot,
           uint32_t *function)
{
  const tni_trace_event event = {.process = block->process,
                                 .thread = block->thread,
                                 .stack = a->paths[block->path].node,
                                 .context = block->context,
                                 .sp = block->sp};
  const tni_context *const c = tni_contexts_get(&a->contexts, &event);
  const uint32_t wanted = a->paths[block->path].site;
  if (c == NULL)
    return TNI_ESCAPE_UNKNOWN;
  /* Outermost first: the calls above `at` lie inside the call at slot. */
  uint32_t at = c->count, site = c->count;
  while (at > 0 && c->calls[at - 1].slot < slot)
    at--;
  while (site > 0 && a->site_of[c->calls[site - 1].frame] != wanted)
    site--;
  if (at == c->count || at == 0 || site == 0)
    return TNI_ESCAPE_UNKNOWN;
  *function = c->calls[at].function;
  const uint32_t level = site - 1 > at ? site - 1 - at : 0;
  return level < TNI_ESCAPE_FAR ? level : TNI_ESCAPE_FAR;
}

uint32_t
tni_life_escape(tni_analysis *a, const tni_block *block, uint32_t *function)
{
  *function = 0;
  if (block->sp == 0)
    return TNI_ESCAPE_UNKNOWN;
  const tni_holder holder =
      tni_calls_find(&a->threads[block->thread].calls, block->born);
  switch (holder.kind) {
  case TNI_HOLDER_CALL: return life_level(a, block, holder.slot, function);
  case TNI_HOLDER_THREAD: return TNI_ESCAPE_THREAD;
  case TNI_HOLDER_UNKNOWN: break;
  }
  return TNI_ESCAPE_UNKNOWN;
}

static void
life_note_holder(tni_site *site, uint32_t level, uint32_t function,
                 uint32_t weight)
{
  uint32_t i = 0;
  while (i < site->holder_count && site->holders[i].function != function)
    i++;
  if (i == TNI_HOLDERS) {
    site->other_holders += weight;
    return;
  }
  if (i == site->holder_count)
    site->holders[site->holder_count++] = (tni_holding){function, level, 0};
  if (site->holders[i].level < level)
    site->holders[i].level = level;
  site->holders[i].blocks += weight;
}

static void
life_note_escape(tni_analysis *a, tni_site *site, const tni_block *block,
                 const tni_trace_event *event)
{
  uint32_t function = 0;
  uint32_t escape = TNI_ESCAPE_LEFT;
  if (event != NULL)
    escape = event->thread != block->thread
                 ? (uint32_t)TNI_ESCAPE_OTHER
                 : tni_life_escape(a, block, &function);
  site->escapes[escape] += block->weight;
  a->totals.escapes[escape] += block->weight;
  if (escape <= TNI_ESCAPE_FAR)
    life_note_holder(site, escape, function, block->weight);
}

/* ---- Order ----------------------------------------------------------------- */

static void
life_count_order(tni_analysis *a, uint32_t site, tni_order order,
                 uint64_t blocks)
{
  a->sites[site].orders[order] += blocks;
  a->totals.orders[order] += blocks;
}

void
tni_life_end_run(tni_analysis *a, uint32_t thread)
{
  tni_thread_state *const t = &a->threads[thread];
  const bool is_together = t->run_blocks >= TNI_TOGETHER;
  for (uint32_t i = 0; i < t->run_count; i++) {
    const tni_life_run *const r = &t->run[i];
    if (is_together) {
      life_count_order(a, r->site, TNI_ORDER_TOGETHER, r->blocks);
    } else {
      life_count_order(a, r->site, TNI_ORDER_FIFO, r->fifo);
      life_count_order(a, r->site, TNI_ORDER_ANY, r->blocks - r->fifo);
    }
  }
  t->run_count = 0;
  t->run_blocks = 0;
}

static void
life_add_to_run(tni_analysis *a, uint32_t thread, uint32_t site, bool is_fifo)
{
  tni_thread_state *const t = &a->threads[thread];
  uint32_t i = 0;
  while (i < t->run_count && t->run[i].site != site)
    i++;
  if (i == TNI_LIFE_RUN) {
    /* More sites than are counted apart: these blocks are settled at once. */
    life_count_order(a, site,
                     t->run_blocks >= TNI_TOGETHER ? TNI_ORDER_TOGETHER
                     : is_fifo                     ? TNI_ORDER_FIFO
                                                   : TNI_ORDER_ANY,
                     1);
    return;
  }
  if (i == t->run_count)
    t->run[t->run_count++] = (tni_life_run){site, 0, 0};
  t->run[i].blocks++;
  t->run[i].fifo += is_fifo;
}

static void
life_note_order(tni_analysis *a, uint32_t block, const tni_trace_event *event)
{
  const tni_block *const b = &a->blocks.items[block];
  const uint32_t site_index = a->paths[b->path].site;
  tni_site *const site = &a->sites[site_index];
  if (event == NULL) {
    life_count_order(a, site_index, TNI_ORDER_LEFT, 1);
    return;
  }
  const bool is_oldest = site->list.oldest == block;
  site->oldest_first += is_oldest;
  site->newest_first += site->list.newest == block;
  a->threads[event->thread].run_blocks++;
  if (event->thread != b->thread)
    life_count_order(a, site_index, TNI_ORDER_OTHER, 1);
  else if (a->threads[b->thread].list.newest == block)
    life_count_order(a, site_index, TNI_ORDER_LIFO, 1);
  else
    life_add_to_run(a, b->thread, site_index, is_oldest);
  tni_thread_state *const t = &a->threads[event->thread];
  if (t->last_block == block && t->now == b->born + 1) {
    site->temporary += b->weight;
    a->paths[b->path].temporary += b->weight;
    a->totals.temporary += b->weight;
  }
}

/* ---- Births and deaths ----------------------------------------------------- */

void
tni_life_birth(tni_analysis *a, uint32_t block)
{
  tni_block *const b = &a->blocks.items[block];
  tni_thread_state *const t = &a->threads[b->thread];
  b->born = t->now;
  tni_life_end_run(a, b->thread);
  t->last_block = block;
  tni_live_link(&a->blocks, &t->list, block, false);
  tni_site *const site = &a->sites[a->paths[b->path].site];
  tni_live_link(&a->blocks, &site->list, block, true);
  if (b->thread < 64)
    site->threads |= 1ull << b->thread;
  else
    site->threads |= 1ull << 63;
}

void
tni_life_death(tni_analysis *a, uint32_t block, const tni_trace_event *event)
{
  tni_block *const b = &a->blocks.items[block];
  tni_site *const site = &a->sites[a->paths[b->path].site];
  life_note_escape(a, site, b, event);
  life_note_order(a, block, event);
  tni_live_unlink(&a->blocks, &a->threads[b->thread].list, block, false);
  tni_live_unlink(&a->blocks, &site->list, block, true);
  if (a->threads[b->thread].last_block == block)
    a->threads[b->thread].last_block = TNI_BLOCK_NONE;
}
