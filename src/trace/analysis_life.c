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
  uint32_t i = 0;
  while (i + 1 < most && value >> i != 0)
    i++;
  return i;
}

/* ---- Calls ----------------------------------------------------------------- */

size_t
tni_life_stack(const tni_trace *trace, tni_names *names,
               const tni_trace_event *event, tni_call stack[TNI_LIFE_FRAMES],
               bool *is_cut)
{
  const tni_trace_thread *const thread =
      tni_trace_thread_at(trace, event->thread);
  /* A signal handler or a coroutine on a stack of its own says nothing about
   * the calls of the thread's. */
  if (thread->stack_high != 0 &&
      (event->sp < thread->stack_low || event->sp >= thread->stack_high))
    return 0;
  uint64_t slots[TNI_LIFE_FRAMES];
  uint32_t frames[TNI_LIFE_FRAMES + 1];
  const uint32_t count = tni_trace_slots(trace, event, slots, TNI_LIFE_FRAMES);
  const uint32_t depth =
      tni_trace_stack(trace, event->stack, frames, TNI_LIFE_FRAMES + 1);
  if (count == 0 || count > depth || depth > TNI_LIFE_FRAMES)
    return 0;
  *is_cut = count < depth;
  for (uint32_t i = 0; i < count; i++) {
    if (frames[i] == TNI_TRACE_NONE || (i > 0 && slots[i] <= slots[i - 1]))
      return 0;
    stack[count - 1 - i] = (tni_call){slots[i], frames[i],
                                      tni_names_function_of(names, frames[i])};
  }
  return count;
}

void
tni_life_step(tni_analysis *a, const tni_trace_event *event)
{
  tni_thread_state *const t = &a->threads[event->thread];
  t->now++;
  t->is_used = true;
  tni_call stack[TNI_LIFE_FRAMES];
  bool is_cut;
  const size_t count =
      tni_life_stack(a->trace, &a->names, event, stack, &is_cut);
  if (count)
    tni_calls_enter(&t->calls, stack, count, is_cut, t->now);
}

/* The function of the block's own stack that runs inside the call at slot, and
 * how many calls it is out from that of the site. */
static uint32_t
life_level(tni_analysis *a, const tni_block *block, uint64_t slot,
           uint32_t *function)
{
  const tni_trace_event event = {.process = block->process,
                                 .thread = block->thread,
                                 .stack = block->stack,
                                 .context = block->context,
                                 .sp = block->sp};
  uint64_t slots[TNI_LIFE_FRAMES];
  uint32_t frames[TNI_LIFE_FRAMES + 1];
  const uint32_t count =
      tni_trace_slots(a->trace, &event, slots, TNI_LIFE_FRAMES);
  tni_trace_stack(a->trace, a->paths[block->path].node, frames,
                  TNI_LIFE_FRAMES + 1);
  const uint32_t site_frame = a->sites[a->paths[block->path].site].frame;
  uint32_t at = 0, site_at = 0;
  while (at < count && slots[at] < slot)
    at++;
  while (site_at < count && frames[site_at] != site_frame)
    site_at++;
  if (at == 0 || at >= count || site_at >= count)
    return TNI_ESCAPE_UNKNOWN;
  *function = tni_names_function_of(&a->names, frames[at - 1]);
  const uint32_t level = at - 1 > site_at ? at - 1 - site_at : 0;
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
life_note_holder(tni_site *site, uint32_t level, uint32_t function)
{
  uint32_t i = 0;
  while (i < site->holder_count && site->holders[i].function != function)
    i++;
  if (i == TNI_HOLDERS) {
    site->other_holders++;
    return;
  }
  if (i == site->holder_count)
    site->holders[site->holder_count++] = (tni_holding){function, level, 0};
  if (site->holders[i].level < level)
    site->holders[i].level = level;
  site->holders[i].blocks++;
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
  site->escapes[escape]++;
  a->totals.escapes[escape]++;
  if (escape <= TNI_ESCAPE_FAR)
    life_note_holder(site, escape, function);
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
    site->temporary++;
    a->paths[b->path].temporary++;
    a->totals.temporary++;
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
