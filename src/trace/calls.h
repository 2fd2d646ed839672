/* calls.h -- which calls of a thread are under way
 *
 * Each event shows a thread's call stack.  A call that was there and is there
 * no longer has returned; one that is there again, at the same place in memory
 * and from the same instruction, is the same call, as far as the events show:
 * a call that returned and was made again without an event in between looks
 * like one.  What holds a block is the innermost call that was under way when
 * the block came and has been ever since.
 *
 * An event of which only the inner frames were kept says nothing about the
 * calls outside.  Where the answer depends on those it is "unknown".
 *
 * Invariants
 *   [calls.order]  slots fall and births rise from the outermost call inward.
 * Threads   one tni_calls a recorded thread.
 * Cost      O(frames of the event) an event, O(log depth) a question.
 * Source    RudjiGames/MTuner#30 defines temporary as freed in the function
 *           that allocated; this is the general form.
 * Design    doc/design/trace.md      Tests  test/trace/test_calls.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_CALLS_H
#define TNI_TRACE_CALLS_H

#include "base/base.h"

/* One call: where its return address lies and what that is. */
typedef struct tni_call {
  uint64_t slot;
  uint32_t frame;     // index of the return address
  uint32_t function;  // that it returns into; 0: not known
} tni_call;

typedef struct tni_calls_entry {
  tni_call call;
  uint64_t birth;  // first event that it was surely under way
  uint64_t maybe;  // first event that it may have been
  uint64_t doubt;  // last event that did not show whether it still is
  bool is_gap;     // not a call, but those that were cut off: none, or some
} tni_calls_entry;

typedef struct tni_calls {
  tni_calls_entry *entries;  // outermost first
  size_t count, room;
  bool has_root;  // a whole stack was seen: before entries[0] there is nothing
  tni_calls_entry leaf;  // of the last event: the call of the allocator itself
  uint32_t last;  // for contexts.h: of the last event; 0: not whole, or none
} tni_calls;

typedef enum tni_holder_kind {
  TNI_HOLDER_CALL,     // the call whose return address is in slot
  TNI_HOLDER_THREAD,   // none: the thread's first function
  TNI_HOLDER_UNKNOWN,  // the events do not say
} tni_holder_kind;

typedef struct tni_holder {
  tni_holder_kind kind;
  uint64_t slot;
} tni_holder;

void tni_calls_fini(tni_calls *calls);

/* An event whose stack is calls[0 .. count), outermost first; the last one is
 * the call of the allocator.
 *
 *   count   at least 1
 *   is_cut  there are frames outside
 *   now     number of the event, larger than the last
 */
void tni_calls_enter(tni_calls *calls, const tni_call *stack, size_t count,
                     bool is_cut, uint64_t now);

/* The same when it is known how many calls, from the outermost, the event has
 * in common with the list: what tni_calls_same says, which for two whole stacks
 * one after the other is always the same. */
void tni_calls_enter_same(tni_calls *calls, const tni_call *stack, size_t count,
                          bool is_cut, uint64_t now, size_t same);
size_t tni_calls_same(const tni_calls *calls, const tni_call *stack,
                      size_t count, bool is_cut);

/* What has been under way ever since event `since`: the innermost. */
tni_holder tni_calls_find(const tni_calls *calls, uint64_t since);

#endif
