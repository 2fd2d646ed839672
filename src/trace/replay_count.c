/* replay_count.c -- the accounts of a replay; see replay_run.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/replay_run.h"

/* A peak above the limit ends the run. */
static void
count_peak(tni_run_state *s)
{
  tni_replay_result *const r = &s->result;
  if (s->heap + s->held > r->peak_bytes)
    r->peak_bytes = s->heap + s->held;
  s->is_over = r->peak_bytes > s->most_peak;
  if (s->heap > r->heap_bytes)
    r->heap_bytes = s->heap;
  if (s->held > r->other_bytes)
    r->other_bytes = s->held;
  if (s->live_pages + s->held_pages > r->most_pages)
    r->most_pages = s->live_pages + s->held_pages;
}

/* What a block takes where it is. */
static uint64_t
count_granted(const tni_run_block *b)
{
  return b->place == TNI_RUN_ON_OWN ? tn_heap_granted(b->p)
                                    : malloc_usable_size(b->p) + sizeof(size_t);
}

/* The same, as glibc lays blocks out: that our heap packs them closer is no
 * reason for a heap of its own. */
static uint64_t
count_taken(const tni_run_block *b, uint64_t granted)
{
  enum { WORD = sizeof(size_t), LEAST = 4 * WORD };
  if (b->place != TNI_RUN_ON_OWN)
    return granted;
  const uint64_t bytes =
      (b->size + (uint64_t)WORD + TN_ALIGN - 1) & -(uint64_t)TN_ALIGN;
  return bytes < LEAST ? LEAST : bytes;
}

/* ---- What glibc does --------------------------------------------------------- */

static unsigned
count_class(uint32_t size)
{
  return (size + (unsigned)sizeof(size_t) + TN_ALIGN - 1) / TN_ALIGN;
}

/* The cache is filled from the bin that a block comes from. */
static unsigned
count_alloc(tni_run_state *s, uint32_t size)
{
  if (size > TNI_RUN_HEAP_SMALL)
    return TNI_RUN_HEAP_ALLOC_LARGE;
  const unsigned class = count_class(size);
  uint8_t *const cached = &s->cached[s->thread][class];
  if (*cached > 0) {
    --*cached;
    return TNI_RUN_HEAP_ALLOC;
  }
  if (s->binned[class] == 0)
    return TNI_RUN_HEAP_ALLOC_NEW;
  s->binned[class]--;
  if (size > TNI_RUN_HEAP_FAST)
    return TNI_RUN_HEAP_ALLOC_BIN;
  for (; s->binned[class] > 0 && *cached < TNI_RUN_HEAP_CACHED; ++*cached)
    s->binned[class]--;
  return TNI_RUN_HEAP_ALLOC_FAST;
}

static unsigned
count_free(tni_run_state *s, uint32_t size)
{
  if (size > TNI_RUN_HEAP_SMALL)
    return TNI_RUN_HEAP_FREE_LARGE;
  const unsigned class = count_class(size);
  uint8_t *const cached = &s->cached[s->thread][class];
  if (*cached < TNI_RUN_HEAP_CACHED) {
    ++*cached;
    return TNI_RUN_HEAP_FREE;
  }
  s->binned[class]++;
  return size <= TNI_RUN_HEAP_FAST ? TNI_RUN_HEAP_FREE_FAST
                                   : TNI_RUN_HEAP_FREE_BIN;
}

/* ---- Blocks ------------------------------------------------------------------ */

/* The counter of a page.  Its memory is mapped: from the heap it would lie
 * among the blocks that are counted. */
static uint32_t *
count_page(tni_run_state *s, uintptr_t page)
{
  const uintptr_t span = page / TNI_RUN_SPAN % TNI_RUN_SPANS;
  if (s->pages[span] == NULL) {
    void *const p =
        mmap(NULL, TNI_RUN_SPAN * sizeof(uint32_t), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
      _exit(1);
    s->pages[span] = p;
  }
  return &s->pages[span][page % TNI_RUN_SPAN];
}

/* A page is kept while a block is on it. */
static void
count_pages(tni_run_state *s, const void *p, uint64_t taken, bool is_new)
{
  const uintptr_t first = (uintptr_t)p / TNI_RUN_PAGE;
  const uintptr_t last = ((uintptr_t)p + taken - 1) / TNI_RUN_PAGE;
  for (uintptr_t page = first; page <= last; page++) {
    uint32_t *const count = count_page(s, page);
    if (*count == 0) {
      s->used_pages++;
      *count = 1;
    }
    if (is_new)
      s->live_pages += (*count)++ == 1;
    else
      s->live_pages -= --*count == 1;
  }
}

/* A block of a heap is there, or is no more: bytes and pages only. */
void
tni_run_note_block(tni_run_state *s, const tni_run_block *b, bool is_there)
{
  const uint64_t granted = count_granted(b), taken = count_taken(b, granted);
  s->heap += is_there ? taken : -taken;
  s->packed += is_there ? granted : -granted;
  count_pages(s, b->p, granted, is_there);
  if (is_there)
    count_peak(s);
}

void
tni_run_note_alloc(tni_run_state *s, const tni_run_block *b)
{
  s->result.calls++;
  s->result.heap_blocks++;
  s->result.instructions += count_alloc(s, b->size);
}

void
tni_run_note_free(tni_run_state *s, const tni_run_block *b)
{
  s->result.calls++;
  s->result.instructions += count_free(s, b->size);
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
  s->byte_sum += s->packed + s->held;
  s->ticks++;
}

/* The tape is done. */
void
tni_run_note_end(tni_run_state *s)
{
  for (size_t i = 0; i < s->r->scope_count; i++)
    if (s->is_used[i] && s->r->scopes[i].is_shared)
      s->result.instructions += s->r->scopes[i].calls * TNI_RUN_ARENA_SCOPE;
  s->result.pages = s->used_pages + s->held_pages;
  if (s->ticks == 0)
    return;
  const uint64_t filled = s->byte_sum / TNI_RUN_PAGE;
  s->result.mean_pages = s->page_sum / s->ticks;
  s->result.waste_pages =
      s->page_sum > filled ? (s->page_sum - filled) / s->ticks : 0;
}
