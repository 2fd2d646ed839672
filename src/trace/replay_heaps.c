/* replay_heaps.c -- a recorded run on one heap, one a thread, one a function
 *
 * The operations of the tape on heaps of ours, through handles that are at
 * hand, in a child process for each division: what becomes resident is the
 * run's.  All is done by one thread; that a block is freed by another thread
 * than asked for it is counted, not paid for.  Each system page of a block is
 * written to when the block comes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdlib.h>
#include <string.h>
#include <tenure/heap.h>
#include <time.h>

#include "trace/replay.h"
#include "trace/report.h"

enum { HEAPS_ROUNDS = 3, HEAPS_PAGE = 4096 };

typedef enum heaps_division {
  HEAPS_ONE,
  HEAPS_THREADS,
  HEAPS_FUNCTIONS,
  HEAPS_DIVISIONS
} heaps_division;

static const char *const heaps_names[HEAPS_DIVISIONS] = {
    "one heap", "one a thread", "one a function"};

typedef struct heaps_block {
  unsigned char *p;  // NULL: not live
  tn_heap_local *home;
  uint32_t size;
  uint32_t thread;  // that asked for it
  bool is_resized;  // its size may not be told to the heap any more
} heaps_block;

typedef struct heaps_result {
  bool is_good;
  size_t heaps;      // that were used
  size_t resident;   // bytes, at most
  size_t pages;      // bytes of the heaps' pages, at most
  size_t live;       // bytes that were asked for, when pages was most
  uint64_t foreign;  // frees by another thread than asked for the block
  uint64_t frees;
  uint64_t ns;  // of the fastest round
} heaps_result;

typedef struct heaps_state {
  const tni_replay *r;
  const tni_analysis *a;
  heaps_division division;
  heaps_block *blocks;
  tn_heap **heaps;       // by owner; NULL: not used so far
  tn_heap_local **here;  // their handles
  size_t owners;
  size_t live;
  size_t noted;   // the most that was live when it was last looked
  size_t before;  // resident when the run began
  bool has_accounts;
  heaps_result result;
} heaps_state;

/* ---- Operations ------------------------------------------------------------ */

static tn_heap_local *
heaps_home(heaps_state *s, const tni_replay_op *op)
{
  size_t owner = 0;
  if (s->division == HEAPS_THREADS)
    owner = op->what >> 4;
  else if (s->division == HEAPS_FUNCTIONS)
    owner = s->a->sites[op->site].function;
  if (s->here[owner] == NULL) {
    s->heaps[owner] = tn_heap_create(NULL, NULL);
    s->here[owner] = s->heaps[owner] ? tn_heap_here(s->heaps[owner]) : NULL;
    s->result.heaps += s->has_accounts;
  }
  return s->here[owner];
}

static void
heaps_touch(const heaps_block *b)
{
  for (size_t at = 0; at < b->size; at += HEAPS_PAGE)
    ((volatile unsigned char *)b->p)[at] = 1;
}

static void heaps_note(heaps_state *s);

/* More is live: look at each sixteenth more, however few events a tick has. */
static void
heaps_grow(heaps_state *s, const heaps_block *b)
{
  heaps_touch(b);
  if (!s->has_accounts || s->live < s->noted + s->noted / 16 + HEAPS_PAGE)
    return;
  s->noted = s->live;
  heaps_note(s);
}

static void
heaps_alloc(heaps_state *s, const tni_replay_op *op)
{
  heaps_block *const b = &s->blocks[op->block];
  tn_heap_local *const home = heaps_home(s, op);
  *b = (heaps_block){NULL, home, op->size ? op->size : 1, op->what >> 4, false};
  b->p = home ? tn_heap_take(home, b->size) : NULL;
  if (b->p == NULL)
    return;
  s->live += b->size;
  heaps_grow(s, b);
}

static void
heaps_free(heaps_state *s, const tni_replay_op *op, bool is_call)
{
  heaps_block *const b = &s->blocks[op->block];
  if (b->p == NULL)
    return;
  s->live -= b->size;
  if (s->has_accounts && is_call) {
    s->result.frees++;
    s->result.foreign += b->thread != op->what >> 4;
  }
  if (b->is_resized)
    tn_heap_free_any(b->p);
  else
    tn_heap_give(b->home, b->p, b->size);
  b->p = NULL;
}

static void
heaps_resize(heaps_state *s, const tni_replay_op *op)
{
  heaps_block *const b = &s->blocks[op->block];
  const uint32_t size = op->size ? op->size : 1;
  if (b->p == NULL)
    return;
  void *const p = tn_heap_reallocate(NULL, b->p, size, TN_ALIGN).pointer;
  if (p == NULL)
    return;
  s->live += size - (size_t)b->size;
  b->p = p;
  b->size = size;
  b->is_resized = true;
  heaps_grow(s, b);
}

/* ---- Accounts -------------------------------------------------------------- */

static size_t
heaps_resident(void)
{
  unsigned long all = 0;
  unsigned long resident = 0;
  FILE *const f = fopen("/proc/self/statm", "r");
  if (f == NULL)
    return 0;
  if (fscanf(f, "%lu %lu", &all, &resident) != 2)
    resident = 0;
  fclose(f);
  return resident * HEAPS_PAGE;
}

static void
heaps_note(heaps_state *s)
{
  size_t pages = 0;
  for (size_t i = 0; i < s->owners; i++) {
    tn_heap_stats stats;
    if (s->heaps[i] == NULL)
      continue;
    tn_heap_get_stats(s->heaps[i], &stats);
    pages += stats.pages;
  }
  if (pages > s->result.pages) {
    s->result.pages = pages;
    s->result.live = s->live;
  }
  const size_t resident = heaps_resident();
  if (resident > s->before && resident - s->before > s->result.resident)
    s->result.resident = resident - s->before;
}

/* ---- Runs ------------------------------------------------------------------ */

static void
heaps_run(heaps_state *s)
{
  const tni_replay_op *const end = s->r->ops + s->r->count;
  for (const tni_replay_op *op = s->r->ops; op < end; op++)
    switch ((tni_replay_kind)(op->what & 15)) {
    case TNI_REPLAY_ALLOC:
    case TNI_REPLAY_ALLOC_BY_RESIZE: heaps_alloc(s, op); break;
    case TNI_REPLAY_FREE: heaps_free(s, op, true); break;
    case TNI_REPLAY_RESIZE: heaps_resize(s, op); break;
    case TNI_REPLAY_DROP: heaps_free(s, op, false); break;
    case TNI_REPLAY_TICK:
      if (s->has_accounts)
        heaps_note(s);
      break;
    case TNI_REPLAY_BEGIN:
    case TNI_REPLAY_END:
    case TNI_REPLAY_TURN: break;
    }
}

static void
heaps_clear(heaps_state *s)
{
  for (size_t i = 0; i < s->owners; i++) {
    tn_heap_destroy(s->heaps[i]);
    s->heaps[i] = NULL;
    s->here[i] = NULL;
  }
  memset(s->blocks, 0, s->r->block_count * sizeof *s->blocks);
  s->live = 0;
}

static uint64_t
heaps_clock_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
heaps_child(void *argument)
{
  heaps_state *const s = argument;
  s->owners = s->division == HEAPS_THREADS     ? s->r->thread_count
              : s->division == HEAPS_FUNCTIONS ? s->a->names.count
                                               : 1;
  s->blocks = tni_store_get(s->r->block_count, sizeof *s->blocks);
  s->heaps = tni_store_get(s->owners, sizeof(void *));
  s->here = tni_store_get(s->owners, sizeof(void *));
  heaps_clear(s);  // which makes them resident
  s->before = heaps_resident();
  s->has_accounts = true;
  heaps_run(s);
  s->has_accounts = false;
  heaps_clear(s);
  s->result.ns = UINT64_MAX;
  for (int round = 0; round < HEAPS_ROUNDS; round++) {
    const uint64_t start = heaps_clock_ns();
    heaps_run(s);
    const uint64_t took = heaps_clock_ns() - start;
    s->result.ns = took < s->result.ns ? took : s->result.ns;
    heaps_clear(s);
  }
  s->result.is_good = true;
}

static heaps_result
heaps_try(const tni_replay *r, const tni_analysis *a, heaps_division division)
{
  heaps_state s = {.r = r, .a = a, .division = division};
  if (!tni_replay_apart(heaps_child, &s, &s.result, sizeof s.result))
    s.result.is_good = false;
  return s.result;
}

static void
heaps_row(FILE *to, const tni_replay *r, const char *name,
          const heaps_result *h)
{
  char resident[32], pages[32];
  const double waste =
      h->pages ? 100 - tni_report_percent(h->live, h->pages) : 0;
  fprintf(to, "  %-15s %7zu %14s %14s %9.1f %% %9.1f %9.1f %%\n", name,
          h->heaps, tni_report_count(h->resident / 1024, resident),
          tni_report_count(h->pages / 1024, pages), waste,
          (double)h->ns / (double)(r->count ? r->count : 1),
          tni_report_percent(h->foreign, h->frees));
}

int
tni_report_heaps(FILE *to, const char *trace)
{
  tni_analysis *const a = tni_report_open_whole(trace);
  if (a == NULL)
    return 1;
  tni_replay replay;
  int failed = 0;
  tni_replay_init(&replay, a, NULL, 0);
  char n[32];
  if (replay.is_partial)
    fprintf(to, "the first %s operations of the run:\n",
            tni_report_count(replay.count, n));
  fprintf(to, "  %-15s %7s %14s %14s %11s %9s %11s\n", "", "heaps",
          "resident KiB", "in pages KiB", "unused", "ns/op", "foreign");
  for (int d = 0; d < HEAPS_DIVISIONS && !failed; d++) {
    const heaps_result h = heaps_try(&replay, a, (heaps_division)d);
    failed = !h.is_good;
    if (failed)
      fprintf(stderr, "tenure: the replay did not finish\n");
    else
      heaps_row(to, &replay, heaps_names[d], &h);
  }
  tni_replay_fini(&replay);
  tni_analysis_close(a);
  return failed;
}
