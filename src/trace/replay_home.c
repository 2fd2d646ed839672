/* replay_home.c -- blocks on the disciplines of their plans; see replay_run.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/replay_run.h"

/* ---- Arenas ---------------------------------------------------------------- */

static uint64_t
home_rounded(uint64_t size)
{
  return (size + TN_ALIGN - 1) & -(uint64_t)TN_ALIGN;
}

/* Making something is paid once. */
static void
home_pay(tni_run_state *s, unsigned instructions)
{
  if (s->has_accounts)
    s->result.instructions += instructions;
}

static bool
home_make_arena(tni_run_state *s, tni_run_arena *arena, bool is_array)
{
  if (arena->is_made)
    return true;
  arena->is_made =
      tn_arena_create(&arena->arena, &(tn_arena_options){.name = "replay",
                                                         .avoid_huge = true}) ==
      TN_OK;
  home_pay(s, is_array ? 0 : TNI_RUN_ARENA_MAKE);
  return arena->is_made;
}

/* Bytes of an arena; NULL when there are none.  The model's account is the
 * arena's own, but for debug builds, which lay out more ([replay.layout]). */
static void *
home_push(tni_run_state *s, tni_run_arena *arena, uint64_t size)
{
  const uint64_t bytes = home_rounded(size ? size : 1);
  void *const p = tn_arena_try(&arena->arena, size ? size : 1);
  if (p == NULL)
    return NULL;
  arena->used += bytes;
  TN_CHECK(TN_DEBUG || !s->has_accounts ||
               tn_arena_get_stats(&arena->arena).used == arena->used,
           "replay.layout");
  if (s->has_accounts && arena->used > arena->most) {
    const uint64_t before = arena->most;
    arena->most = arena->used;
    tni_run_note_held(s, before, arena->used);
  }
  return p;
}

static void
home_rewind(tni_run_arena *arena, const tni_run_scope *scope)
{
  tn_arena_rewind(&arena->arena, scope->mark);
  arena->used = scope->used;
}

tni_run_arena *
tni_run_arena_of(tni_run_state *s, uint32_t thread, uint32_t scope)
{
  return &s->arenas[(size_t)thread * s->r->scope_count + scope];
}

/* The frame of a call has its array from the start, used or not. */
void
tni_run_begin(tni_run_state *s, uint32_t thread, uint32_t scope)
{
  tni_run_arena *const arena = tni_run_arena_of(s, thread, scope);
  const tni_plan *const plan = &s->r->plans[s->r->scopes[scope].plans[0]];
  const bool is_array = plan->way == TNI_WAY_STACK;
  if (!s->is_used[scope] || !home_make_arena(s, arena, is_array))
    return;
  arena->scopes = tni_store_grow(arena->scopes, &arena->room, arena->depth + 1,
                                 sizeof *arena->scopes);
  tni_run_scope *const top = &arena->scopes[arena->depth++];
  *top = (tni_run_scope){.mark = tn_arena_get_mark(&arena->arena),
                         .used = arena->used};
  if (is_array)
    top->array = home_push(s, arena, plan->size);
}

void
tni_run_end(tni_run_state *s, uint32_t thread, uint32_t scope)
{
  tni_run_arena *const arena = tni_run_arena_of(s, thread, scope);
  if (arena->depth > 0)
    home_rewind(arena, &arena->scopes[--arena->depth]);
}

void
tni_run_turn(tni_run_state *s, uint32_t thread, uint32_t scope)
{
  tni_run_arena *const arena = tni_run_arena_of(s, thread, scope);
  if (arena->depth == 0)
    return;
  home_rewind(arena, &arena->scopes[arena->depth - 1]);
  if (s->has_accounts)
    s->result.instructions += TNI_RUN_ARENA_REWIND;
}

static tni_run_place
home_in_scope(tni_run_state *s, const tni_plan *plan, uint32_t thread,
              tni_run_block *b)
{
  tni_run_arena *const arena = tni_run_arena_of(s, thread, plan->scope);
  if (arena->depth == 0)
    return TNI_RUN_NOWHERE;
  const bool is_array = plan->way == TNI_WAY_STACK;
  if (is_array && b->size > plan->size)
    return TNI_RUN_NOWHERE;
  b->p = is_array ? arena->scopes[arena->depth - 1].array
                  : home_push(s, arena, b->size);
  if (b->p == NULL)
    return TNI_RUN_NOWHERE;
  b->thread = thread;
  b->depth = (uint32_t)arena->depth - 1;
  arena->scopes[b->depth].live++;
  const unsigned choice =
      plan->least_size < plan->most_size ? TNI_RUN_ARRAY_CHOICE : 0;
  if (s->has_accounts)
    tni_run_note_other(s, is_array ? choice : TNI_RUN_ARENA_PUSH);
  return TNI_RUN_IN_ARENA;
}

static tni_run_place
home_in_region(tni_run_state *s, tni_run_block *b)
{
  tni_run_arena *const arena = &s->regions[b->site];
  if (!home_make_arena(s, arena, false))
    return TNI_RUN_NOWHERE;
  b->p = home_push(s, arena, b->size);
  if (b->p == NULL)
    return TNI_RUN_NOWHERE;
  arena->live++;
  if (s->has_accounts)
    tni_run_note_other(s, TNI_RUN_ARENA_PUSH);
  return TNI_RUN_IN_REGION;
}

/* ---- Pools, rings, heaps ---------------------------------------------------- */

/* What a block takes in a pool of a release build: a multiple of the alignment
 * that its size has, up to TN_ALIGN. */
static uint64_t
home_stride(uint64_t size)
{
  uint64_t align = size & -size;
  align = align < sizeof(void *) ? sizeof(void *) : align;
  align = align > TN_ALIGN ? TN_ALIGN : align;
  return (size + align - 1) & -align;
}

static tni_run_place
home_in_pool(tni_run_state *s, const tni_plan *plan, tni_run_block *b)
{
  tni_run_pool *const pool = &s->pools[b->site];
  if (b->size > plan->size)
    return TNI_RUN_NOWHERE;
  if (!pool->is_made) {
    pool->is_made = tn_pool_create(&pool->pool, plan->size, NULL) == TN_OK;
    home_pay(s, TNI_RUN_POOL_MAKE);
  }
  b->p = pool->is_made ? tn_pool_alloc(&pool->pool) : NULL;
  if (b->p == NULL)
    return TNI_RUN_NOWHERE;
  const uint64_t stride = home_stride(plan->size);
  TN_CHECK(TN_DEBUG || TN_HARDEN || pool->pool.stride == stride,
           "replay.layout");
  if (!s->has_accounts)
    return TNI_RUN_IN_POOL;
  tni_run_note_other(s, TNI_RUN_POOL_ALLOC);
  if (++pool->live > pool->most) {
    pool->most++;
    home_pay(s, TNI_RUN_POOL_CARVE);
    tni_run_note_held(s, (pool->most - 1) * stride, pool->most * stride);
  }
  return TNI_RUN_IN_POOL;
}

static tni_run_place
home_in_ring(tni_run_state *s, const tni_plan *plan, tni_run_block *b)
{
  tni_run_ring *const ring = &s->rings[b->site];
  if (!ring->is_made) {
    if (tn_ring_create(&ring->ring, plan->size, NULL) != TN_OK)
      return TNI_RUN_NOWHERE;
    ring->is_made = true;
    home_pay(s, TNI_RUN_RING_MAKE);
    if (s->has_accounts)
      tni_run_note_held(s, 0, ring->ring.size);
  }
  b->p = tn_ring_push(&ring->ring, b->size ? b->size : 1);
  if (b->p == NULL)
    return TNI_RUN_NOWHERE;
  if (s->has_accounts)
    tni_run_note_other(s, TNI_RUN_RING_PUSH);
  return TNI_RUN_IN_RING;
}

static tni_run_place
home_on_own(tni_run_state *s, const tni_plan *plan, tni_run_block *b)
{
  if (s->heaps[plan->site] == NULL)
    s->heaps[plan->site] = tn_heap_create(NULL, NULL);
  if (s->heaps[plan->site] == NULL)
    return TNI_RUN_NOWHERE;
  b->p =
      tn_heap_allocate(s->heaps[plan->site], b->size ? b->size : 1, TN_ALIGN, 0)
          .pointer;
  if (b->p == NULL)
    return TNI_RUN_NOWHERE;
  b->place = TNI_RUN_ON_OWN;
  return TNI_RUN_ON_OWN;
}

tni_run_place
tni_run_by_plan(tni_run_state *s, const tni_plan *plan, uint32_t thread,
                tni_run_block *b)
{
  switch (plan->way) {
  case TNI_WAY_STACK:
  case TNI_WAY_SCRATCH:
  case TNI_WAY_TURN: return home_in_scope(s, plan, thread, b);
  case TNI_WAY_REGION: return home_in_region(s, b);
  case TNI_WAY_POOL: return home_in_pool(s, plan, b);
  case TNI_WAY_RING: return home_in_ring(s, plan, b);
  case TNI_WAY_OWN: return home_on_own(s, plan, b);
  case TNI_WAY_GROW:
    if (b->size < plan->size)
      b->size = (uint32_t)plan->size;
    break;
  default: break;
  }
  return TNI_RUN_NOWHERE;
}

static void
home_leave_region(tni_run_state *s, tni_run_arena *arena)
{
  if (--arena->live > 0)
    return;
  tn_arena_reset(&arena->arena);
  arena->used = 0;
  s->result.instructions += TNI_RUN_ARENA_RESET;
}

/* A block of a scope goes.  When it was the last, the scope begins anew: see
 * replay.c.  One that is emptied at a line waits for that. */
static void
home_leave_scope(tni_run_state *s, const tni_run_block *b)
{
  const tni_plan *const plan = s->plan_of[b->site];
  tni_run_arena *const arena = tni_run_arena_of(s, b->thread, plan->scope);
  if (b->depth >= arena->depth)
    return;
  tni_run_scope *const scope = &arena->scopes[b->depth];
  if (--scope->live == 0 && plan->way == TNI_WAY_SCRATCH &&
      b->depth + 1 == arena->depth)
    home_rewind(arena, scope);
}

void
tni_run_leave(tni_run_state *s, tni_run_block *b)
{
  switch ((tni_run_place)b->place) {
  case TNI_RUN_IN_ARENA: home_leave_scope(s, b); break;
  case TNI_RUN_IN_REGION: home_leave_region(s, &s->regions[b->site]); break;
  case TNI_RUN_IN_POOL:
    s->result.instructions += TNI_RUN_POOL_FREE;
    s->pools[b->site].live -= s->has_accounts;
    tn_pool_free(&s->pools[b->site].pool, b->p);
    break;
  case TNI_RUN_IN_RING:
    s->result.instructions += TNI_RUN_RING_POP;
    tn_ring_pop(&s->rings[b->site].ring, b->p, b->size ? b->size : 1);
    break;
  default: break;
  }
}
