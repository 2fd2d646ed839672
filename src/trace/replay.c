/* replay.c -- the tape of a run, and its scopes; see replay.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/replay.h"

#include <stdlib.h>

#include "trace/analysis_life.h"

/* One call of a function that is a scope. */
typedef struct replay_scope {
  uint32_t function;  // index in replay->functions
  size_t entry;       // index in the thread's calls
  uint64_t birth;
  uint64_t slot;
  uint64_t serial;
  uint64_t live[TNI_REPLAY_PLANS];
  uint64_t bytes[TNI_REPLAY_PLANS];
  uint64_t blocks[TNI_REPLAY_PLANS];
} replay_scope;

typedef struct replay_thread {
  tni_calls calls;
  uint64_t now;
  replay_scope *scopes;
  size_t count, room;
  uint32_t aside;
} replay_thread;

/* In which scope a block is, for each plan of its site. */
typedef struct replay_home {
  uint64_t serial;  // 0: none
  uint32_t scope;   // index in the thread's scopes
} replay_home;

typedef struct replay_maker {
  tni_replay *r;
  tni_analysis *a;
  tni_blocks blocks;
  tni_block_list live;
  replay_thread *threads;
  replay_home *homes;  // by block and plan of its site
  size_t home_room;
  uint64_t serial;
  uint32_t *plans_of;  // by site: TNI_REPLAY_SITE_PLANS numbers + 1; 0: none
  uint8_t *is_scope;   // by function: number in r->functions + 1
  size_t function_count;
} replay_maker;

static void
replay_push(tni_replay *r, tni_replay_op op)
{
  if (r->count >= TNI_REPLAY_MOST) {
    r->is_partial = true;
    return;
  }
  r->ops = tni_store_grow(r->ops, &r->room, r->count + 1, sizeof *r->ops);
  r->ops[r->count++] = op;
}

static uint32_t
replay_what(tni_replay_kind kind, uint32_t thread)
{
  return (uint32_t)kind | thread << 3;
}

/* ---- Scopes ---------------------------------------------------------------- */

static bool
replay_uses_scope(const tni_plan *plan)
{
  return plan->way == TNI_WAY_STACK || plan->way == TNI_WAY_SCRATCH;
}

/* All blocks of a plan in the scope have gone: what comes next may have their
 * place, be it in another turn of a loop or in another call of the function,
 * which looks the same when it comes from the same place. */
static void
replay_settle(tni_plan *plan, replay_scope *s, size_t p)
{
  plan->scopes += s->blocks[p] > 0;
  if (s->bytes[p] > plan->most_bytes)
    plan->most_bytes = s->bytes[p];
  if (s->blocks[p] > plan->most_blocks)
    plan->most_blocks = s->blocks[p];
  s->bytes[p] = s->blocks[p] = 0;
}

/* The innermost scope ends.  Blocks that end with it because the process does
 * are in time; any other that is left refutes its plan ([replay.early]). */
static void
replay_close(replay_maker *m, uint32_t thread, bool is_exit)
{
  replay_thread *const t = &m->threads[thread];
  replay_scope *const s = &t->scopes[--t->count];
  for (size_t p = 0; p < m->r->plan_count; p++) {
    tni_plan *const plan = &m->r->plans[p];
    if (!is_exit)
      plan->early += s->live[p];
    replay_settle(plan, s, p);
  }
  replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_END, thread), 0, 0,
                                    s->function});
}

static bool
replay_is_open(const replay_thread *t, const replay_scope *s)
{
  return s->entry < t->calls.count &&
         t->calls.entries[s->entry].birth == s->birth &&
         t->calls.entries[s->entry].call.slot == s->slot;
}

static void
replay_open(replay_maker *m, uint32_t thread, size_t entry, uint32_t function)
{
  replay_thread *const t = &m->threads[thread];
  t->scopes =
      tni_store_grow(t->scopes, &t->room, t->count + 1, sizeof *t->scopes);
  t->scopes[t->count++] =
      (replay_scope){.function = function,
                     .entry = entry,
                     .birth = t->calls.entries[entry].birth,
                     .slot = t->calls.entries[entry].call.slot,
                     .serial = ++m->serial};
  replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_BEGIN, thread), 0, 0,
                                    function});
}

/* The function that runs inside entry i. */
static uint32_t
replay_callee(const tni_calls *calls, size_t i)
{
  return i + 1 < calls->count ? calls->entries[i + 1].call.function
                              : calls->leaf.call.function;
}

/* The thread goes on to an event: scopes that have ended are closed, those that
 * have begun opened. */
static void
replay_step(replay_maker *m, const tni_trace_event *event)
{
  replay_thread *const t = &m->threads[event->thread];
  tni_call stack[TNI_LIFE_FRAMES];
  bool is_cut;
  t->now++;
  const size_t count =
      tni_life_stack(m->a->trace, &m->a->names, event, stack, &is_cut);
  if (count == 0)
    return;
  tni_calls_enter(&t->calls, stack, count, is_cut, t->now);
  while (t->count > 0 && !replay_is_open(t, &t->scopes[t->count - 1]))
    replay_close(m, event->thread, false);
  size_t first = t->calls.count;
  while (first > 0 && t->calls.entries[first - 1].birth == t->now)
    first--;
  for (size_t i = first; i < t->calls.count; i++) {
    const uint32_t function = replay_callee(&t->calls, i);
    if (!t->calls.entries[i].is_gap && function < m->function_count &&
        m->is_scope[function])
      replay_open(m, event->thread, i, m->is_scope[function] - 1u);
  }
}

static const uint32_t *
replay_plans_of(const replay_maker *m, uint32_t site)
{
  return &m->plans_of[(size_t)site * TNI_REPLAY_SITE_PLANS];
}

/* Note the scope of a new block for each plan of its site. */
static void
replay_place(replay_maker *m, uint32_t block, uint32_t site, uint32_t thread,
             uint64_t size)
{
  replay_thread *const t = &m->threads[thread];
  m->homes = tni_store_grow(m->homes, &m->home_room,
                            ((size_t)block + 1) * TNI_REPLAY_SITE_PLANS,
                            sizeof *m->homes);
  replay_home *const homes = &m->homes[(size_t)block * TNI_REPLAY_SITE_PLANS];
  const uint32_t *const plans = replay_plans_of(m, site);
  for (uint32_t k = 0; k < TNI_REPLAY_SITE_PLANS; k++) {
    homes[k] = (replay_home){0, 0};
    if (plans[k] == 0)
      continue;
    tni_plan *const plan = &m->r->plans[plans[k] - 1];
    plan->blocks++;
    if (!replay_uses_scope(plan))
      continue;
    size_t s = t->count;
    while (s > 0 &&
           m->r->functions[t->scopes[s - 1].function] != plan->function)
      s--;
    if (s == 0)
      continue;
    replay_scope *const scope = &t->scopes[s - 1];
    homes[k] = (replay_home){scope->serial, (uint32_t)s - 1};
    plan->scoped++;
    scope->live[plans[k] - 1]++;
    scope->blocks[plans[k] - 1]++;
    scope->bytes[plans[k] - 1] += size;
  }
}

/* A block grows in its scopes, or goes (its whole size counts already). */
static void
replay_unplace(replay_maker *m, uint32_t block)
{
  const tni_block *const b = &m->blocks.items[block];
  replay_thread *const t = &m->threads[b->thread];
  const replay_home *const homes =
      &m->homes[(size_t)block * TNI_REPLAY_SITE_PLANS];
  const uint32_t *const plans = replay_plans_of(m, b->path);
  for (uint32_t k = 0; k < TNI_REPLAY_SITE_PLANS; k++) {
    if (plans[k] == 0 || homes[k].serial == 0 || homes[k].scope >= t->count)
      continue;
    replay_scope *const scope = &t->scopes[homes[k].scope];
    const size_t p = plans[k] - 1;
    if (scope->serial == homes[k].serial && --scope->live[p] == 0)
      replay_settle(&m->r->plans[p], scope, p);
  }
}

/* ---- Events ---------------------------------------------------------------- */

/* The site that the analysis gave to a stack. */
static uint32_t
replay_site(const tni_analysis *a, uint32_t node)
{
  const uint32_t path = a->path_of[node];
  return path ? a->paths[path].site : 0;
}

static void
replay_remove(replay_maker *m, uint32_t block, tni_replay_kind kind,
              uint32_t thread)
{
  const tni_block *const b = &m->blocks.items[block];
  replay_unplace(m, block);
  replay_push(m->r,
              (tni_replay_op){replay_what(kind, thread), block, 0, b->path});
  tni_live_unlink(&m->blocks, &m->live, block, false);
  tni_live_remove(&m->blocks, block);
}

static uint32_t
replay_clamp(uint64_t size)
{
  return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

static void
replay_alloc(replay_maker *m, const tni_trace_event *e)
{
  const uint32_t stale = tni_live_find(&m->blocks, e->process, e->address);
  if (stale != TNI_BLOCK_NONE)
    replay_remove(m, stale, TNI_REPLAY_DROP, e->thread);
  const uint32_t site = replay_site(m->a, e->stack);
  const uint32_t block = tni_live_add(&m->blocks, e->process, e->address);
  tni_block *const b = &m->blocks.items[block];
  b->thread = e->thread;
  b->path = site;
  b->size = e->size;
  tni_live_link(&m->blocks, &m->live, block, false);
  replay_place(m, block, site, e->thread, e->size);
  replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_ALLOC, e->thread),
                                    block, replay_clamp(e->size), site});
}

static void
replay_resize(replay_maker *m, const tni_trace_event *e)
{
  uint32_t block = m->threads[e->thread].aside;
  m->threads[e->thread].aside = TNI_BLOCK_NONE;
  if (block == TNI_BLOCK_NONE)
    block = tni_live_find(&m->blocks, e->process, e->old);
  if (block == TNI_BLOCK_NONE) {
    if (e->address)
      replay_alloc(m, e);
    return;
  }
  if (e->address == 0) {
    tni_live_place(&m->blocks, block, e->old);
    return;
  }
  const uint32_t there = tni_live_find(&m->blocks, e->process, e->address);
  if (there != TNI_BLOCK_NONE && there != block)
    replay_remove(m, there, TNI_REPLAY_DROP, e->thread);
  tni_live_place(&m->blocks, block, e->address);
  tni_block *const b = &m->blocks.items[block];
  b->size = e->size;
  replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_RESIZE, e->thread),
                                    block, replay_clamp(e->size), b->path});
}

static void
replay_close_process(replay_maker *m, uint32_t process)
{
  for (uint32_t i = 0; i < tni_trace_threads(m->a->trace); i++) {
    if (tni_trace_thread_at(m->a->trace, i)->process != process)
      continue;
    while (m->threads[i].count > 0)
      replay_close(m, i, true);
  }
  for (uint32_t b = m->live.oldest; b != TNI_BLOCK_NONE;) {
    const uint32_t next = m->blocks.items[b].of_thread.newer;
    if (m->blocks.items[b].process == process)
      replay_remove(m, b, TNI_REPLAY_DROP, m->blocks.items[b].thread);
    b = next;
  }
}

static void
replay_event(replay_maker *m, const tni_trace_event *e)
{
  switch (e->kind) {
  case TNI_TRACE_ALLOC:
    replay_step(m, e);
    replay_alloc(m, e);
    break;
  case TNI_TRACE_FREE: {
    replay_step(m, e);
    const uint32_t block = tni_live_find(&m->blocks, e->process, e->address);
    if (block != TNI_BLOCK_NONE)
      replay_remove(m, block, TNI_REPLAY_FREE, e->thread);
    break;
  }
  case TNI_TRACE_RESIZE:
    replay_step(m, e);
    replay_resize(m, e);
    break;
  case TNI_TRACE_RESIZE_OPEN: {
    const uint32_t block = tni_live_find(&m->blocks, e->process, e->address);
    if (block != TNI_BLOCK_NONE)
      tni_live_set_aside(&m->blocks, block);
    m->threads[e->thread].aside = block;
    break;
  }
  case TNI_TRACE_PROCESS_CLOSE: replay_close_process(m, e->process); break;
  default: break;
  }
}

/* ---- The pass -------------------------------------------------------------- */

static void
replay_add_plan(replay_maker *m, const tni_plan *plan)
{
  tni_replay *const r = m->r;
  uint32_t *const of = &m->plans_of[(size_t)plan->site * TNI_REPLAY_SITE_PLANS];
  uint32_t k = 0;
  while (k < TNI_REPLAY_SITE_PLANS && of[k])
    k++;
  if (k == TNI_REPLAY_SITE_PLANS || r->plan_count == TNI_REPLAY_PLANS)
    return;
  r->plans[r->plan_count++] = *plan;
  of[k] = (uint32_t)r->plan_count;
  if (replay_uses_scope(plan) && m->is_scope[plan->function] == 0) {
    r->functions[r->function_count++] = plan->function;
    m->is_scope[plan->function] = (uint8_t)r->function_count;
  }
}

void
tni_replay_init(tni_replay *replay, tni_analysis *a, const tni_plan *plans,
                size_t count)
{
  *replay = (tni_replay){.thread_count = tni_trace_threads(a->trace),
                         .site_count = a->site_count};
  replay_maker m = {.r = replay, .a = a};
  m.threads = tni_store_get(replay->thread_count, sizeof *m.threads);
  for (uint32_t i = 0; i < replay->thread_count; i++)
    m.threads[i].aside = TNI_BLOCK_NONE;
  m.plans_of =
      tni_store_get(a->site_count * TNI_REPLAY_SITE_PLANS, sizeof *m.plans_of);
  m.function_count = a->names.count;
  m.is_scope = tni_store_get(m.function_count, 1);
  tni_live_init(&m.blocks);
  m.live = TNI_BLOCK_LIST_EMPTY;
  for (size_t i = 0; i < count; i++)
    replay_add_plan(&m, &plans[i]);
  tni_trace_rewind(a->trace);
  tni_trace_event event;
  while (tni_trace_next(a->trace, &event))
    replay_event(&m, &event);
  for (uint32_t i = 0; i < tni_trace_processes(a->trace); i++)
    replay_close_process(&m, i);
  replay->block_count = m.blocks.used;
  for (uint32_t i = 0; i < replay->thread_count; i++) {
    tni_calls_fini(&m.threads[i].calls);
    free(m.threads[i].scopes);
  }
  tni_live_fini(&m.blocks);
  free(m.threads);
  free(m.homes);
  free(m.plans_of);
  free(m.is_scope);
}

void
tni_replay_fini(tni_replay *replay)
{
  free(replay->ops);
  replay->ops = NULL;
}

const char *
tni_way_name(tni_way way)
{
  static const char *const names[] = {"heap",        "stack", "scratch arena",
                                      "region",      "pool",  "ring",
                                      "room to grow"};
  return way < TNI_WAYS ? names[way] : "?";
}
