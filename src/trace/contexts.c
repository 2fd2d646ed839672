/* contexts.c -- the call stacks of events, expanded; see contexts.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/contexts.h"

#include <stdlib.h>

#include "trace/store.h"

enum { CONTEXTS_FRAMES = 1024 };
_Static_assert(TNI_CONTEXTS == 1 << 13, "hashes of pairs have 13 bits");

void
tni_contexts_init(tni_contexts *contexts, const tni_trace *trace,
                  tni_names *names)
{
  *contexts = (tni_contexts){
      trace, names, tni_store_get(TNI_CONTEXTS, sizeof *contexts->items),
      tni_store_get(TNI_CONTEXTS, sizeof *contexts->pairs)};
}

void
tni_contexts_fini(tni_contexts *contexts)
{
  for (size_t i = 0; i < TNI_CONTEXTS; i++)
    free(contexts->items[i].calls);
  free(contexts->items);
  free(contexts->pairs);
}

/* Fill c, of which the key is set. */
static void
contexts_expand(tni_contexts *contexts, tni_context *c,
                const tni_trace_event *event, uint64_t high)
{
  uint64_t slots[CONTEXTS_FRAMES];
  uint32_t frames[CONTEXTS_FRAMES + 1];
  const uint32_t count =
      tni_trace_slots(contexts->trace, event, slots, CONTEXTS_FRAMES);
  const uint32_t depth = tni_trace_stack(contexts->trace, event->stack, frames,
                                         CONTEXTS_FRAMES + 1);
  c->count = 0;
  if (count == 0 || count > depth || depth > CONTEXTS_FRAMES)
    return;
  size_t room = c->room;
  c->calls = tni_store_grow(c->calls, &room, count, sizeof *c->calls);
  c->room = (uint32_t)room;
  c->is_cut = count < depth;
  for (uint32_t i = 0; i < count; i++) {
    if (frames[i] == TNI_TRACE_NONE || (i > 0 && slots[i] <= slots[i - 1]) ||
        slots[i] >= high)
      return;
    c->calls[count - 1 - i] =
        (tni_call){slots[i] - high, frames[i],
                   tni_names_function_of(contexts->names, frames[i])};
  }
  c->count = count;
}

const tni_context *
tni_contexts_get(tni_contexts *contexts, const tni_trace_event *event)
{
  const tni_trace_thread *const thread =
      tni_trace_thread_at(contexts->trace, event->thread);
  /* A signal handler or a coroutine on a stack of its own says nothing about
   * the calls of the thread's. */
  if (event->context == 0 || event->sp == 0 || event->sp < thread->stack_low ||
      event->sp >= thread->stack_high)
    return NULL;
  const uint32_t hash =
      (event->context ^ event->process * 0x9e3779b1u) % TNI_CONTEXTS;
  TN_CHECK(hash < TNI_CONTEXTS, "contexts.bound");
  tni_context *const c = &contexts->items[hash];
  if (c->number != event->context || c->process != event->process) {
    c->number = event->context;
    c->process = event->process;
    contexts_expand(contexts, c, event, thread->stack_high);
  }
  return c->count ? c : NULL;
}

void
tni_contexts_enter(tni_contexts *contexts, const tni_context *c,
                   tni_calls *calls, uint64_t now)
{
  const uint32_t first = calls->last;
  calls->last = c->is_cut ? 0 : c->number;
  if (c->is_cut || first == 0) {
    tni_calls_enter(calls, c->calls, c->count, c->is_cut, now);
    return;
  }
  const uint32_t hash =
      (first * 0x9e3779b1u ^ c->number * 0x85ebca6bu) >> 19;  // 13 bits
  tni_context_pair *const pair = &contexts->pairs[hash];
  if (pair->first != first || pair->second != c->number ||
      pair->process != c->process)
    *pair = (tni_context_pair){
        c->process, first, c->number,
        (uint32_t)tni_calls_same(calls, c->calls, c->count, false)};
  tni_calls_enter_same(calls, c->calls, c->count, false, now, pair->same);
}
