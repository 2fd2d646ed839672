/* replay_count.c -- the accounts of a replay; see replay_run.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <malloc.h>

#include "trace/replay_run.h"

static void
count_peak(tni_run_state *s)
{
  tni_replay_result *const r = &s->result;
  if (s->heap + s->held > r->peak_bytes)
    r->peak_bytes = s->heap + s->held;
  if (s->heap > r->heap_bytes)
    r->heap_bytes = s->heap;
  if (s->held > r->other_bytes)
    r->other_bytes = s->held;
  if (s->live_pages + s->held_pages > r->most_pages)
    r->most_pages = s->live_pages + s->held_pages;
}

/* What a block takes: its bytes, and the word that the heap keeps of each. */
static uint64_t
count_taken(const tni_run_block *b)
{
  return b->place == TNI_RUN_ON_OWN ? tn_heap_granted(b->p)
                                    : malloc_usable_size(b->p) + sizeof(size_t);
}

/* A page is kept while a block is on it. */
static void
count_pages(tni_run_state *s, const tni_run_block *b, bool is_new)
{
  const uint64_t taken = count_taken(b);
  const uintptr_t first = (uintptr_t)b->p / TNI_RUN_PAGE;
  const uintptr_t last = ((uintptr_t)b->p + taken - 1) / TNI_RUN_PAGE;
  for (uintptr_t page = first; page <= last; page++) {
    bool is_first = false;
    uint32_t *const index = tni_map_enter(&s->pages, page, 0, &is_first);
    if (is_first) {
      *index = (uint32_t)s->pages.count - 1;
      s->on_page = tni_store_grow(s->on_page, &s->on_page_room, s->pages.count,
                                  sizeof *s->on_page);
      s->on_page[*index] = 0;
    }
    uint32_t *const blocks = &s->on_page[*index];
    if (is_new)
      s->live_pages += (*blocks)++ == 0;
    else
      s->live_pages -= --*blocks == 0;
  }
}

void
tni_run_note_heap(tni_run_state *s, const tni_run_block *b)
{
  s->heap += count_taken(b);
  count_pages(s, b, true);
  s->result.calls++;
  s->result.heap_blocks++;
  s->result.instructions += b->size <= TNI_RUN_HEAP_SMALL
                                ? TNI_RUN_HEAP_ALLOC
                                : TNI_RUN_HEAP_ALLOC_LARGE;
  count_peak(s);
}

void
tni_run_note_heap_free(tni_run_state *s, const tni_run_block *b, bool is_call)
{
  s->heap -= count_taken(b);
  count_pages(s, b, false);
  if (!is_call)
    return;
  s->result.calls++;
  s->result.instructions += b->size <= TNI_RUN_HEAP_SMALL
                                ? TNI_RUN_HEAP_FREE
                                : TNI_RUN_HEAP_FREE_LARGE;
}

static uint64_t
count_whole_pages(uint64_t bytes)
{
  return (bytes + TNI_RUN_PAGE - 1) / TNI_RUN_PAGE;
}

void
tni_run_note_held(tni_run_state *s, uint64_t before, uint64_t more)
{
  s->held += more - before;
  s->held_pages += count_whole_pages(more) - count_whole_pages(before);
  count_peak(s);
}

void
tni_run_note_other(tni_run_state *s, uint64_t instructions)
{
  s->result.other_blocks++;
  s->result.instructions += instructions;
}

void
tni_run_note_tick(tni_run_state *s)
{
  s->page_sum += s->live_pages + s->held_pages;
  s->ticks++;
}

/* The tape is done. */
void
tni_run_note_end(tni_run_state *s)
{
  for (size_t i = 0; i < s->r->scope_count; i++)
    if (s->is_used[i] && s->r->scopes[i].is_shared)
      s->result.instructions += s->r->scopes[i].calls * TNI_RUN_ARENA_SCOPE;
  s->result.pages = s->pages.count + s->held_pages;
  s->result.mean_pages = s->ticks ? s->page_sum / s->ticks : 0;
}
