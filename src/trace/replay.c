/* replay.c -- the tape of a run, and its scopes; see replay.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/replay.h"

#include <stdlib.h>

#include "trace/analysis_life.h"

/* One call of a function that has scopes. */
typedef struct replay_scope {
  uint32_t scope;  // index in replay->scopes
  size_t entry;    // index in the thread's calls
  uint64_t birth;
  uint64_t slot;
  uint64_t serial;
  uint32_t outer;  // index + 1 of the next scope out of the same kind; 0: none
  uint32_t first, last;  // stacks of the first and last block of a turn
  bool is_begun;         // it has had a block: its beginning is on the tape
  /* By plan of the scope; since the last turn. */
  uint64_t live[TNI_REPLAY_SCOPE_PLANS];
  uint64_t bytes[TNI_REPLAY_SCOPE_PLANS];
  uint64_t blocks[TNI_REPLAY_SCOPE_PLANS];
  uint64_t all[TNI_REPLAY_SCOPE_PLANS];  // bytes since it began
} replay_scope;

typedef struct replay_thread {
  tni_calls calls;
  uint64_t now;
  replay_scope *scopes;
  size_t count, room;
  uint32_t *innermost;  // by replay->scopes: index + 1 in scopes; 0: none
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
  uint32_t *scope_of;  // by function: number of its first scope + 1; 0: none
  size_t function_count;
  uint64_t events;  // so far
  uint32_t stack;   // of the event
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
  return (uint32_t)kind | thread << 4;
}

/* ---- Scopes ---------------------------------------------------------------- */

bool
tni_way_is_scoped(tni_way way)
{
  return way == TNI_WAY_STACK || way == TNI_WAY_SCRATCH || way == TNI_WAY_TURN;
}

/* What a plan had in a scope counts, and the scope is empty from here on. */
static void
replay_settle(tni_plan *plan, replay_scope *s)
{
  const uint32_t k = plan->slot;
  plan->scopes += s->blocks[k] > 0;
  if (s->bytes[k] > plan->most_bytes)
    plan->most_bytes = s->bytes[k];
  if (s->blocks[k] > plan->most_blocks)
    plan->most_blocks = s->blocks[k];
  if (s->all[k] > plan->call_bytes)
    plan->call_bytes = s->all[k];
  s->bytes[k] = s->blocks[k] = 0;
}

/* The innermost scope ends.  Blocks that end with it because the process does
 * are in time; any other that is left refutes its plan ([replay.early]). */
static void
replay_close(replay_maker *m, uint32_t thread, bool is_exit)
{
  replay_thread *const t = &m->threads[thread];
  replay_scope *const s = &t->scopes[--t->count];
  const tni_replay_scope *const scope = &m->r->scopes[s->scope];
  t->innermost[s->scope] = s->outer;
  for (uint32_t k = 0; k < scope->plan_count; k++) {
    tni_plan *const plan = &m->r->plans[scope->plans[k]];
    if (!is_exit)
      plan->early += s->live[k];
    replay_settle(plan, s);
  }
  if (s->is_begun)
    replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_END, thread), 0, 0,
                                      s->scope});
}

static bool
replay_is_open(const replay_thread *t, const replay_scope *s)
{
  return s->entry < t->calls.count &&
         t->calls.entries[s->entry].birth == s->birth &&
         t->calls.entries[s->entry].call.slot == s->slot;
}

/* A call has begun that has scopes. */
static void
replay_open(replay_maker *m, uint32_t thread, size_t entry, uint32_t function)
{
  replay_thread *const t = &m->threads[thread];
  for (uint32_t i = m->scope_of[function]; i; i = m->r->scopes[i - 1].next) {
    t->scopes =
        tni_store_grow(t->scopes, &t->room, t->count + 1, sizeof *t->scopes);
    t->scopes[t->count++] =
        (replay_scope){.scope = i - 1,
                       .entry = entry,
                       .birth = t->calls.entries[entry].birth,
                       .slot = t->calls.entries[entry].call.slot,
                       .serial = ++m->serial,
                       .outer = t->innermost[i - 1]};
    t->innermost[i - 1] = (uint32_t)t->count;
    m->r->scopes[i - 1].calls++;
  }
}

/* The call that is made in entry i. */
static const tni_calls_entry *
replay_inner(const tni_calls *calls, size_t i)
{
  return i + 1 < calls->count ? &calls->entries[i + 1] : &calls->leaf;
}

/* A call under way has just got to one of its lines again.  If that is where a
 * plan's blocks should all have died, they have, or the plan is refuted
 * ([replay.early]). */
static void
replay_turn(replay_maker *m, uint32_t thread, replay_scope *s)
{
  replay_thread *const t = &m->threads[thread];
  tni_plan *const plan = &m->r->plans[m->r->scopes[s->scope].plans[0]];
  const tni_calls_entry *const inner = replay_inner(&t->calls, s->entry);
  const bool is_new = s->entry + 1 >= t->calls.count || inner->birth == t->now;
  if (plan->way != TNI_WAY_TURN || !s->is_begun || !is_new ||
      inner->call.frame != plan->turn)
    return;
  plan->early += s->live[0];
  if (s->blocks[0] > 0)
    replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_TURN, thread), 0,
                                      0, s->scope});
  replay_settle(plan, s);
}

/* Calls from `first` on have begun: the one that makes the first of them has
 * got to a line, and they have scopes of their own. */
static void
replay_go_on(replay_maker *m, uint32_t thread, size_t first)
{
  replay_thread *const t = &m->threads[thread];
  size_t s = t->count;
  while (s > 0 && t->scopes[s - 1].entry + 1 >= first)
    s--;
  for (; s < t->count; s++)
    replay_turn(m, thread, &t->scopes[s]);
  for (size_t i = first; i < t->calls.count; i++) {
    const uint32_t function = replay_inner(&t->calls, i)->call.function;
    if (!t->calls.entries[i].is_gap && function < m->function_count)
      replay_open(m, thread, i, function);
  }
}

/* The thread goes on to an event: scopes that have ended are closed, those that
 * have begun opened. */
static void
replay_step(replay_maker *m, const tni_trace_event *event)
{
  replay_thread *const t = &m->threads[event->thread];
  t->now++;
  const tni_context *const c = tni_contexts_get(&m->a->contexts, event);
  if (c == NULL)
    return;
  tni_contexts_enter(&m->a->contexts, c, &t->calls, t->now);
  while (t->count > 0 && !replay_is_open(t, &t->scopes[t->count - 1]))
    replay_close(m, event->thread, false);
  size_t first = t->calls.count;
  while (first > 0 && t->calls.entries[first - 1].birth == t->now)
    first--;
  replay_go_on(m, event->thread, first);
}

static const uint32_t *
replay_plans_of(const replay_maker *m, uint32_t site)
{
  return &m->plans_of[(size_t)site * TNI_REPLAY_SITE_PLANS];
}

/* A call in the line of a turn that looks like one may be several: the same
 * stack again is taken for another turn, and then nothing must be live. */
static void
replay_refute(replay_maker *m, uint32_t thread, tni_plan *plan, replay_scope *s)
{
  if (plan->way != TNI_WAY_TURN)
    return;
  const tni_calls_entry *const inner =
      replay_inner(&m->threads[thread].calls, s->entry);
  const bool is_again = m->stack == s->first || m->stack == s->last;
  if (inner->call.frame == plan->turn && s->blocks[0] > 0 && is_again)
    plan->early += s->live[0];
  if (s->blocks[0] == 0)
    s->first = m->stack;
  s->last = m->stack;
}

/* A new block in a scope.  The first one tells the line where a turn begins. */
static void
replay_enter(replay_maker *m, uint32_t thread, tni_plan *plan, replay_scope *s,
             uint64_t size)
{
  const uint32_t k = plan->slot;
  if (!s->is_begun)
    replay_push(m->r, (tni_replay_op){replay_what(TNI_REPLAY_BEGIN, thread), 0,
                                      0, s->scope});
  s->is_begun = true;
  replay_refute(m, thread, plan, s);
  if (plan->way == TNI_WAY_TURN && plan->turn == 0)
    plan->turn = replay_inner(&m->threads[thread].calls, s->entry)->call.frame;
  plan->scoped++;
  s->blocks[k]++;
  s->bytes[k] += size;
  s->all[k] += size;
  if (++s->live[k] > plan->most_live)
    plan->most_live = s->live[k];
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
  for (uint32_t k = 0; k < TNI_REPLAY_SITE_PLANS && plans[k]; k++) {
    homes[k] = (replay_home){0, 0};
    tni_plan *const plan = &m->r->plans[plans[k] - 1];
    if (plan->blocks++ == 0 || size < plan->least_size)
      plan->least_size = size;
    if (size > plan->most_size)
      plan->most_size = size;
    const uint32_t s =
        tni_way_is_scoped(plan->way) ? t->innermost[plan->scope] : 0;
    if (s == 0)
      continue;
    homes[k] = (replay_home){t->scopes[s - 1].serial, s - 1};
    replay_enter(m, thread, plan, &t->scopes[s - 1], size);
  }
}

/* A block goes from its scopes. */
static void
replay_unplace(replay_maker *m, uint32_t block)
{
  const tni_block *const b = &m->blocks.items[block];
  replay_thread *const t = &m->threads[b->thread];
  const replay_home *const homes =
      &m->homes[(size_t)block * TNI_REPLAY_SITE_PLANS];
  const uint32_t *const plans = replay_plans_of(m, b->path);
  for (uint32_t k = 0; k < TNI_REPLAY_SITE_PLANS && plans[k]; k++) {
    if (homes[k].serial == 0 || homes[k].scope >= t->count)
      continue;
    replay_scope *const scope = &t->scopes[homes[k].scope];
    tni_plan *const plan = &m->r->plans[plans[k] - 1];
    if (scope->serial != homes[k].serial || --scope->live[plan->slot] > 0)
      continue;
    /* What comes next may have its place, be it in another call, which looks
     * the same when it comes from the same line, or in another turn. */
    if (plan->way != TNI_WAY_TURN)
      replay_settle(plan, scope);
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
  m->stack = e->stack;
  replay_place(m, block, site, e->thread, e->size);
  const tni_replay_kind kind = e->api == TN_TRACE_API_REALLOC
                                   ? TNI_REPLAY_ALLOC_BY_RESIZE
                                   : TNI_REPLAY_ALLOC;
  replay_push(m->r, (tni_replay_op){replay_what(kind, e->thread), block,
                                    replay_clamp(e->size), site});
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

/* An instant each 1/256 of the events: by time, a machine that is busy with
 * something else would decide what is advised. */
static void
replay_tick(replay_maker *m)
{
  if (m->events++ % (m->a->totals.events / TNI_REPLAY_TICKS + 1) == 0)
    replay_push(m->r, (tni_replay_op){TNI_REPLAY_TICK, 0, 0, 0});
}

static void
replay_event(replay_maker *m, const tni_trace_event *e)
{
  replay_tick(m);
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

/* The scope that a plan's blocks live in; a new one unless it can be shared. */
static void
replay_add_scope(replay_maker *m, tni_plan *plan, uint32_t number)
{
  tni_replay *const r = m->r;
  const bool is_shared = plan->way == TNI_WAY_SCRATCH;
  uint32_t i = is_shared ? m->scope_of[plan->function] : 0;
  while (i && (!r->scopes[i - 1].is_shared ||
               r->scopes[i - 1].plan_count == TNI_REPLAY_SCOPE_PLANS))
    i = r->scopes[i - 1].next;
  if (i == 0) {
    r->scopes[r->scope_count++] =
        (tni_replay_scope){.function = plan->function,
                           .next = m->scope_of[plan->function],
                           .is_shared = is_shared};
    m->scope_of[plan->function] = i = (uint32_t)r->scope_count;
  }
  tni_replay_scope *const scope = &r->scopes[i - 1];
  plan->scope = i - 1;
  plan->slot = scope->plan_count;
  scope->plans[scope->plan_count++] = number;
}

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
  r->plans[r->plan_count] = *plan;
  if (tni_way_is_scoped(plan->way))
    replay_add_scope(m, &r->plans[r->plan_count], (uint32_t)r->plan_count);
  of[k] = (uint32_t)++r->plan_count;
}

const char *
tni_replay_refusal(const tni_analysis *a)
{
  for (uint32_t i = 0; i < tni_trace_processes(a->trace); i++) {
    const tni_trace_process *const p = tni_trace_process_at(a->trace, i);
    if (p->mode == TN_TRACE_TALLIES)
      return "the trace holds sums only (--tallies)";
    if (p->mode == TN_TRACE_SAMPLED)
      return "the trace holds samples only (--sample)";
  }
  return NULL;
}

void
tni_replay_init(tni_replay *replay, tni_analysis *a, const tni_plan *plans,
                size_t count)
{
  *replay = (tni_replay){.thread_count = tni_trace_threads(a->trace),
                         .site_count = a->site_count};
  TN_CHECK(tni_replay_refusal(a) == NULL, "replay.whole");
  replay_maker m = {.r = replay, .a = a};
  m.threads = tni_store_get(replay->thread_count, sizeof *m.threads);
  for (uint32_t i = 0; i < replay->thread_count; i++)
    m.threads[i].aside = TNI_BLOCK_NONE;
  m.plans_of =
      tni_store_get(a->site_count * TNI_REPLAY_SITE_PLANS, sizeof *m.plans_of);
  m.function_count = a->names.count;
  m.scope_of = tni_store_get(m.function_count, sizeof *m.scope_of);
  tni_live_init(&m.blocks);
  m.live = TNI_BLOCK_LIST_EMPTY;
  for (size_t i = 0; i < count; i++)
    replay_add_plan(&m, &plans[i]);
  for (uint32_t i = 0; i < replay->thread_count; i++)
    m.threads[i].innermost =
        tni_store_get(replay->scope_count, sizeof(uint32_t));
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
    free(m.threads[i].innermost);
  }
  tni_live_fini(&m.blocks);
  free(m.threads);
  free(m.homes);
  free(m.plans_of);
  free(m.scope_of);
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
  static const char *const names[] = {
      "heap",   "stack", "scratch arena", "scratch arena",  //
      "region", "pool",  "ring",          "room to grow",  "heap of its own"};
  return way < TNI_WAYS ? names[way] : "?";
}
