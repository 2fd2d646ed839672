/* test_contexts.c -- stacks that are kept are those that are expanded anew
 *
 * Tags: [contexts.bound]
 * SPDX-License-Identifier: MIT
 */
#include <unistd.h>

#include "test.h"
#include "trace/contexts.h"
#include "writer.h"

enum { HIGH = 0x7000000, DEEP = 12, STACKS = 20000, EVENTS = 60000 };

static char path[64];

/* Random stacks, many more than are kept; every seventh one cut. */
static void
write_process(writer *w, uint32_t pid, uint64_t seed)
{
  static uint32_t stacks[STACKS];
  uint32_t frames[64];
  writer_section(w, pid, 0);
  writer_module(w, "/opt/x", 0x10000, 0x10000, 0x10000000);
  for (uint32_t i = 0; i < 2; i++)
    writer_thread(w, i, 100 + i, HIGH * (i + 1) - 0x100000, HIGH * (i + 1),
                  "t");
  for (uint32_t i = 0; i < 64; i++)
    frames[i] = writer_frame(w, 0x20000 + 0x100 * i, 32 + 16 * (i % 3));
  for (uint32_t i = 0; i < STACKS; i++) {
    uint32_t list[DEEP];
    const uint32_t depth = 2 + (uint32_t)(test_random(&seed) % (DEEP - 2));
    for (uint32_t d = 0; d < depth; d++)
      list[d] = frames[d + 1 == depth ? 0 : test_random(&seed) % 64];
    const bool is_cut = i % 7 == 0;  // and lies further in
    stacks[i] =
        writer_stack(w, TN_TRACE_API_MALLOC, list, depth, is_cut ? 256 : 64,
                     is_cut ? TN_TRACE_STACK_CUT : 0);
  }
  uint64_t tick = 0;
  for (uint32_t i = 0; i < EVENTS / 2; i++) {
    const uint64_t draw = test_random(&seed);
    const uint32_t stack =
        draw % 4 ? (uint32_t)(draw >> 8) % 24 : (uint32_t)(draw >> 8) % STACKS;
    writer_alloc(w, draw >> 40 & 1, ++tick, stacks[stack],
                 0x20000000 + 64ull * i, 16);
  }
  w->header.last_tick = w->header.last_ns = tick + 1;
  writer_end_section(w);
}

/* Two processes at one time: their stacks have the same numbers. */
static void
write_trace(uint64_t seed)
{
  writer *const w = writer_open(path, 0);
  write_process(w, 100, seed);
  write_process(w, 200, seed + 1);
  writer_close(w);
}

static bool
is_as_expanded(const tni_context *c, const tni_trace *t,
               const tni_trace_event *e)
{
  uint64_t slots[DEEP];
  uint32_t frames[DEEP + 1];
  const uint32_t count = tni_trace_slots(t, e, slots, DEEP);
  const uint64_t high = tni_trace_thread_at(t, e->thread)->stack_high;
  const uint32_t depth = tni_trace_stack(t, e->stack, frames, DEEP + 1);
  if (count != c->count || depth != count + c->is_cut)
    return false;
  for (uint32_t i = 0; i < count; i++) {
    const tni_call *const call = &c->calls[count - 1 - i];
    if (call->frame != frames[i] || call->slot + high != slots[i])
      return false;
  }
  return true;
}

static bool
is_same_list(const tni_calls *a, const tni_calls *b)
{
  if (a->count != b->count || a->has_root != b->has_root ||
      a->leaf.call.frame != b->leaf.call.frame)
    return false;
  for (size_t i = 0; i < a->count; i++)
    if (a->entries[i].call.slot != b->entries[i].call.slot ||
        a->entries[i].call.frame != b->entries[i].call.frame ||
        a->entries[i].birth != b->entries[i].birth ||
        a->entries[i].maybe != b->entries[i].maybe ||
        a->entries[i].doubt != b->entries[i].doubt)
      return false;
  return true;
}

static void
test_all(void)
{
  tni_trace *t;
  char problem[200] = "";
  TEST(tni_trace_open(path, &t, problem, sizeof problem) == TN_OK);
  tni_names names;
  tni_contexts contexts;
  tni_names_init(&names, t);
  tni_contexts_init(&contexts, t, &names);
  tni_calls kept[4] = {0}, plain[4] = {0};
  tni_trace_event e;
  uint64_t now = 0, wrong = 0, lists = 0, cut = 0;
  while (tni_trace_next(t, &e)) {
    if (e.kind != TNI_TRACE_ALLOC)
      continue;
    const tni_context *const c = tni_contexts_get(&contexts, &e);
    wrong += c == NULL || !is_as_expanded(c, t, &e);
    if (c == NULL)
      continue;
    cut += c->is_cut;
    const uint32_t thread = e.thread % 4;
    tni_contexts_enter(&contexts, c, &kept[thread], ++now);
    tni_calls_enter(&plain[thread], c->calls, c->count, c->is_cut, now);
    lists += !is_same_list(&kept[thread], &plain[thread]);
  }
  TEST(now == EVENTS && wrong == 0 && lists == 0);
  TEST(tni_trace_processes(t) == 2 && cut > EVENTS / 20);
  e = (tni_trace_event){.context = 1, .sp = 0};
  TEST(tni_contexts_get(&contexts, &e) == NULL);
  e.sp = HIGH * 3ull;  // on no stack of the thread
  TEST(tni_contexts_get(&contexts, &e) == NULL);
  for (int i = 0; i < 4; i++) {
    tni_calls_fini(&kept[i]);
    tni_calls_fini(&plain[i]);
  }
  tni_contexts_fini(&contexts);
  tni_names_fini(&names);
  tni_trace_close(t);
}

int
main(void)
{
  snprintf(path, sizeof path, "/tmp/tenure-contexts-%ld.trace", (long)getpid());
  write_trace(test_seed());
  test_all();
  unlink(path);
  return test_done();
}
