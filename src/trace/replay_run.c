/* replay_run.c -- doing the operations of a tape; see replay.h
 *
 * In a child process, on a thread of its own, so that glibc gives it a heap
 * that is as new as a program's.  Once with accounts, three times for the time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace/replay.h"

#include <tenure/bump.h>
#include <tenure/pool.h>
#include <tenure/ring.h>

/* What one operation costs in instructions (x86-64, callgrind): glibc 2.36 when
 * its thread cache serves a small block, which is its cheapest way (a block that
 * comes from elsewhere costs 280 for both, not 129); larger ones; ours as they
 * are inlined.  test/trace/slow_replay_model.py counts them. */
enum {
  RUN_HEAP_SMALL = 1032,  // bytes; larger blocks are not in the thread cache
  RUN_HEAP_ALLOC = 41,
  RUN_HEAP_FREE = 88,
  RUN_HEAP_ALLOC_LARGE = 148,
  RUN_HEAP_FREE_LARGE = 140,
  RUN_HEAP_RESIZE = 160,
  RUN_BUMP_PUSH = 6,
  RUN_BUMP_SCOPE = 2,
  RUN_POOL_ALLOC = 6,
  RUN_POOL_FREE = 6,
  RUN_RING_PUSH = 8,
  RUN_RING_POP = 8,
  RUN_REGION_FREE = 2,
  RUN_ROUNDS = 3,
  RUN_PAGE = 4096,
  RUN_MARKS = 1 << 16,
};

typedef struct run_scope {
  tn_bump_mark mark;
  uint64_t live;  // blocks in it
} run_scope;

/* One arena: scratch of a thread and function, or the region of a site. */
typedef struct run_arena {
  tn_bump bump;
  unsigned char *high;  // the cursor at the start
  run_scope *scopes;
  size_t depth, room;
  uint64_t live;  // blocks of a region
  uint64_t most;  // bytes that it ever held
  bool is_made;
} run_arena;

typedef enum run_place {
  RUN_NOWHERE,
  RUN_ON_HEAP,
  RUN_IN_ARENA,
  RUN_IN_REGION,
  RUN_IN_POOL,
  RUN_IN_RING,
} run_place;

typedef struct run_block {
  void *p;
  uint32_t size;  // that there is room for
  uint32_t site;
  uint32_t place;
  uint32_t thread, depth;  // of its scope, for one in an arena
} run_block;

typedef struct run_pool {
  tn_pool pool;
  uint64_t live, most;
  bool is_made;
} run_pool;

typedef struct run_ring {
  tn_ring ring;
  bool is_made;
} run_ring;

typedef struct run_state {
  const tni_replay *r;
  const tni_plan **plan_of;  // by site; NULL: the heap
  uint32_t *scope_of;        // by site: number of its function
  uint8_t *is_used;          // by function: some chosen plan has it as scope
  run_block *blocks;
  run_arena *arenas;   // by thread and function
  run_arena *regions;  // by site
  run_pool *pools;     // by site
  run_ring *rings;     // by site
  uint64_t room;       // bytes that an arena reserves
  bool has_accounts;
  uint64_t heap, held;  // bytes now: heap blocks; arenas and pools
  tni_map pages;
  tni_replay_result result;
} run_state;

/* ---- Accounts -------------------------------------------------------------- */

static void
run_note_peak(run_state *s)
{
  if (s->heap + s->held > s->result.peak_bytes)
    s->result.peak_bytes = s->heap + s->held;
}

/* Pages of a heap block; most have been seen a moment ago. */
static void
run_note_pages(run_state *s, const void *p, size_t size)
{
  const uintptr_t first = (uintptr_t)p / RUN_PAGE;
  const uintptr_t last = ((uintptr_t)p + size) / RUN_PAGE;
  for (uintptr_t page = first; page <= last; page++)
    tni_map_enter(&s->pages, page, 0, NULL);
}

static void
run_note_heap(run_state *s, void *p, uint32_t size)
{
  const size_t usable = malloc_usable_size(p);
  s->heap += usable + sizeof(size_t);
  run_note_pages(s, p, usable);
  s->result.calls++;
  s->result.instructions +=
      size <= RUN_HEAP_SMALL ? RUN_HEAP_ALLOC : RUN_HEAP_ALLOC_LARGE;
  run_note_peak(s);
}

static void
run_note_heap_free(run_state *s, const run_block *b, bool is_call)
{
  s->heap -= malloc_usable_size(b->p) + sizeof(size_t);
  if (!is_call)
    return;
  s->result.calls++;
  s->result.instructions +=
      b->size <= RUN_HEAP_SMALL ? RUN_HEAP_FREE : RUN_HEAP_FREE_LARGE;
}

static void
run_note_arena(run_state *s, run_arena *arena)
{
  const uint64_t used = (uint64_t)(arena->high - arena->bump.cursor);
  s->result.instructions += RUN_BUMP_PUSH;
  if (used <= arena->most)
    return;
  s->held += used - arena->most;
  arena->most = used;
  run_note_peak(s);
}

/* ---- Disciplines ----------------------------------------------------------- */

static bool
run_make_arena(run_state *s, run_arena *arena)
{
  const tn_bump_options options = {.name = "replay", .size = s->room};
  if (arena->is_made)
    return true;
  if (tn_bump_create(&arena->bump, &options) != TN_OK)
    return false;
  arena->is_made = true;
  arena->high = arena->bump.cursor;
  return true;
}

static run_arena *
run_scratch(run_state *s, uint32_t thread, uint32_t function)
{
  return &s->arenas[(size_t)thread * s->r->function_count + function];
}

static void
run_begin(run_state *s, const tni_replay_op *op)
{
  run_arena *const arena = run_scratch(s, op->what >> 3, op->site);
  if (!s->is_used[op->site] || !run_make_arena(s, arena))
    return;
  arena->scopes = tni_store_grow(arena->scopes, &arena->room, arena->depth + 1,
                                 sizeof *arena->scopes);
  arena->scopes[arena->depth++] =
      (run_scope){tn_bump_get_mark(&arena->bump), 0};
  s->result.instructions += RUN_BUMP_SCOPE;
}

static void
run_end(run_state *s, const tni_replay_op *op)
{
  run_arena *const arena = run_scratch(s, op->what >> 3, op->site);
  if (arena->depth > 0)
    tn_bump_rewind(&arena->bump, arena->scopes[--arena->depth].mark);
}

/* A block of a scope goes.  When it was the last, the scope begins anew: see
 * replay.c. */
static void
run_leave(run_state *s, const run_block *b)
{
  run_arena *const arena = run_scratch(s, b->thread, s->scope_of[b->site]);
  if (b->depth >= arena->depth)
    return;
  run_scope *const scope = &arena->scopes[b->depth];
  if (--scope->live == 0 && b->depth + 1 == arena->depth)
    tn_bump_rewind(&arena->bump, scope->mark);
}

static run_place
run_push(run_state *s, run_arena *arena, run_place place, run_block *b)
{
  b->p = tn_bump_push(&arena->bump, b->size ? b->size : 1);
  if (s->has_accounts)
    run_note_arena(s, arena);
  return place;
}

static run_place
run_on_pool(run_state *s, const tni_plan *plan, run_block *b)
{
  run_pool *const pool = &s->pools[b->site];
  if (!pool->is_made) {
    if (tn_pool_create(&pool->pool, plan->size, NULL) != TN_OK)
      return RUN_NOWHERE;
    pool->is_made = true;
  }
  b->p = tn_pool_alloc(&pool->pool);
  if (b->p == NULL)
    return RUN_NOWHERE;
  if (s->has_accounts) {
    s->result.instructions += RUN_POOL_ALLOC;
    if (++pool->live > pool->most) {
      pool->most = pool->live;
      s->held += pool->pool.stride;
      run_note_peak(s);
    }
  }
  return RUN_IN_POOL;
}

static run_place
run_on_ring(run_state *s, const tni_plan *plan, run_block *b)
{
  run_ring *const ring = &s->rings[b->site];
  if (!ring->is_made) {
    if (tn_ring_create(&ring->ring, plan->size, NULL) != TN_OK)
      return RUN_NOWHERE;
    ring->is_made = true;
    s->held += ring->ring.size;
    run_note_peak(s);
  }
  b->p = tn_ring_push(&ring->ring, b->size ? b->size : 1);
  if (b->p == NULL)
    return RUN_NOWHERE;
  if (s->has_accounts)
    s->result.instructions += RUN_RING_PUSH;
  return RUN_IN_RING;
}

static run_place
run_in_scope(run_state *s, uint32_t thread, run_block *b)
{
  run_arena *const arena = run_scratch(s, thread, s->scope_of[b->site]);
  if (arena->depth == 0)
    return RUN_NOWHERE;
  b->thread = thread;
  b->depth = (uint32_t)arena->depth - 1;
  arena->scopes[b->depth].live++;
  return run_push(s, arena, RUN_IN_ARENA, b);
}

/* Where the plan of the block's site puts it. */
static run_place
run_by_plan(run_state *s, const tni_plan *plan, uint32_t thread, run_block *b)
{
  run_arena *arena;
  switch (plan->way) {
  case TNI_WAY_STACK:
  case TNI_WAY_SCRATCH: return run_in_scope(s, thread, b);
  case TNI_WAY_REGION:
    arena = &s->regions[b->site];
    if (!run_make_arena(s, arena))
      return RUN_NOWHERE;
    arena->live++;
    return run_push(s, arena, RUN_IN_REGION, b);
  case TNI_WAY_POOL:
    return b->size <= plan->size ? run_on_pool(s, plan, b) : RUN_NOWHERE;
  case TNI_WAY_RING: return run_on_ring(s, plan, b);
  case TNI_WAY_GROW:
    if (b->size < plan->size)
      b->size = (uint32_t)plan->size;
    break;
  default: break;
  }
  return RUN_NOWHERE;
}

static void
run_alloc(run_state *s, const tni_replay_op *op)
{
  run_block *const b = &s->blocks[op->block];
  const tni_plan *const plan = s->plan_of[op->site];
  b->size = op->size;
  b->site = op->site;
  b->place = plan ? run_by_plan(s, plan, op->what >> 3, b) : RUN_NOWHERE;
  if (b->place == RUN_NOWHERE) {
    b->p = malloc(b->size ? b->size : 1);
    if (b->p == NULL)
      return;
    b->place = RUN_ON_HEAP;
    if (s->has_accounts)
      run_note_heap(s, b->p, b->size);
  }
  *(volatile unsigned char *)b->p = 1;
}

static void
run_free(run_state *s, const tni_replay_op *op, bool is_call)
{
  run_block *const b = &s->blocks[op->block];
  switch ((run_place)b->place) {
  case RUN_ON_HEAP:
    if (s->has_accounts)
      run_note_heap_free(s, b, is_call);
    free(b->p);
    break;
  case RUN_IN_REGION:
    s->result.instructions += RUN_REGION_FREE;
    if (--s->regions[b->site].live == 0)
      tn_bump_reset(&s->regions[b->site].bump);
    break;
  case RUN_IN_POOL:
    s->result.instructions += RUN_POOL_FREE;
    s->pools[b->site].live--;
    tn_pool_free(&s->pools[b->site].pool, b->p);
    break;
  case RUN_IN_RING:
    s->result.instructions += RUN_RING_POP;
    tn_ring_pop(&s->rings[b->site].ring, b->p, b->size ? b->size : 1);
    break;
  case RUN_IN_ARENA: run_leave(s, b); break;
  case RUN_NOWHERE: break;
  }
  b->place = RUN_NOWHERE;
}

/* Only heap blocks grow: plans for other disciplines are made for sites that
 * never resize. */
static void
run_resize(run_state *s, const tni_replay_op *op)
{
  run_block *const b = &s->blocks[op->block];
  const tni_plan *const plan = s->plan_of[b->site];
  const bool has_room = plan && plan->way == TNI_WAY_GROW;
  if (b->place != RUN_ON_HEAP || (has_room && op->size <= b->size))
    return;
  if (s->has_accounts)
    run_note_heap_free(s, b, false);
  b->size = op->size;
  if (has_room && op->size < UINT32_MAX / 2)
    b->size = op->size * 2;
  void *const p = realloc(b->p, b->size ? b->size : 1);
  b->p = p ? p : b->p;
  if (s->has_accounts) {
    run_note_heap(s, b->p, 0);
    s->result.instructions += RUN_HEAP_RESIZE - RUN_HEAP_ALLOC;
  }
}

/* ---- Runs ------------------------------------------------------------------ */

/* [replay.same]: what is done depends on the tape and the plans only. */
static void
run_tape(run_state *s)
{
  const tni_replay_op *const end = s->r->ops + s->r->count;
  for (const tni_replay_op *op = s->r->ops; op < end; op++)
    switch ((tni_replay_kind)(op->what & 7)) {
    case TNI_REPLAY_ALLOC: run_alloc(s, op); break;
    case TNI_REPLAY_FREE: run_free(s, op, true); break;
    case TNI_REPLAY_RESIZE: run_resize(s, op); break;
    case TNI_REPLAY_DROP: run_free(s, op, false); break;
    case TNI_REPLAY_BEGIN: run_begin(s, op); break;
    case TNI_REPLAY_END: run_end(s, op); break;
    }
}

/* What the tape has left: nothing, if it holds the whole run. */
static void
run_clear(run_state *s)
{
  for (uint32_t i = 0; i < s->r->block_count; i++) {
    const tni_replay_op op = {.block = i};
    if (s->blocks[i].place != RUN_NOWHERE)
      run_free(s, &op, false);
  }
  for (size_t i = 0; i < (size_t)s->r->thread_count * s->r->function_count; i++)
    if (s->arenas[i].is_made) {
      s->arenas[i].depth = 0;
      tn_bump_reset(&s->arenas[i].bump);
    }
}

/* Of this thread: others may have the machine in between. */
static uint64_t
run_clock_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
run_choose(run_state *s, uint64_t chosen)
{
  for (size_t p = 0; p < s->r->plan_count; p++) {
    const tni_plan *const plan = &s->r->plans[p];
    if (!(chosen >> p & 1))
      continue;
    s->plan_of[plan->site] = plan;
    for (uint32_t f = 0; f < s->r->function_count; f++)
      if (s->r->functions[f] == plan->function &&
          (plan->way == TNI_WAY_STACK || plan->way == TNI_WAY_SCRATCH)) {
        s->scope_of[plan->site] = f;
        s->is_used[f] = 1;
      }
  }
}

static void *
run_thread(void *argument)
{
  run_state *const s = argument;
  s->has_accounts = true;
  run_tape(s);
  run_clear(s);
  s->result.pages += s->pages.count + s->held / RUN_PAGE;
  const tni_replay_result accounts = s->result;
  s->has_accounts = false;
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < RUN_ROUNDS; round++) {
    const uint64_t start = run_clock_ns();
    run_tape(s);
    const uint64_t took = run_clock_ns() - start;
    best = took < best ? took : best;
    run_clear(s);
  }
  s->result = accounts;
  s->result.ns = best;
  s->result.is_good = true;
  return NULL;
}

/* All in a child: its memory is its own, and goes with it. */
static void
run_child(const tni_replay *r, uint64_t chosen, int to)
{
  run_state s = {.r = r};
  const size_t sites = r->site_count, functions = r->function_count;
  s.plan_of = tni_store_get(sites, sizeof(void *));
  s.scope_of = tni_store_get(sites, sizeof *s.scope_of);
  s.is_used = tni_store_get(functions, 1);
  s.blocks = tni_store_get(r->block_count, sizeof *s.blocks);
  s.arenas =
      tni_store_get((size_t)r->thread_count * functions, sizeof *s.arenas);
  s.regions = tni_store_get(sites, sizeof *s.regions);
  s.pools = tni_store_get(sites, sizeof *s.pools);
  s.rings = tni_store_get(sites, sizeof *s.rings);
  /* No arena can need more than all that is ever allocated, rounded. */
  for (size_t i = 0; i < r->count; i++)
    s.room += (r->ops[i].size + (uint64_t)2 * TN_ALIGN) & -(uint64_t)TN_ALIGN;
  s.room += RUN_MARKS;
  run_choose(&s, chosen);
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_thread, &s) == 0)
    pthread_join(thread, NULL);
  if (write(to, &s.result, sizeof s.result) != (ssize_t)sizeof s.result)
    _exit(1);
  _exit(0);
}

tni_replay_result
tni_replay_run(const tni_replay *replay, uint64_t chosen)
{
  tni_replay_result result = {0};
  int ends[2];
  if (pipe(ends) != 0)
    return result;
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run_child(replay, chosen, ends[1]);
  }
  close(ends[1]);
  if (child > 0) {
    if (read(ends[0], &result, sizeof result) != (ssize_t)sizeof result)
      result.is_good = false;
    int status;
    waitpid(child, &status, 0);
  }
  close(ends[0]);
  return result;
}
