/* contexts.h -- the call stacks of events, expanded, and the last ones kept
 *
 * An event names its stack by a number, and the walk from there to its calls
 * (frames, places, functions) is long; but a program asks for memory from few
 * stacks again and again.  So what was expanded is kept in a table of bounded
 * size, in which a newer stack takes the place of an older one.
 *
 * Places are relative to the high end of the thread's stack (modulo 2^64), so
 * that a stack of one process is the same on all of its threads.
 *
 * Invariants
 *   [contexts.bound]  at most TNI_CONTEXTS stacks are kept.
 * Threads   one.
 * Cost      O(1) when kept, else O(frames).
 * Tests     test/trace/test_contexts.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_CONTEXTS_H
#define TNI_TRACE_CONTEXTS_H

#include "trace/calls.h"
#include "trace/names.h"

enum { TNI_CONTEXTS = 8192 };

typedef struct tni_context {
  uint32_t process, number;  // key; number 0: nothing is kept here
  uint32_t count, room;      // calls; count 0: their places are not known
  bool is_cut;               // outer calls are not there
  tni_call *calls;           // outermost first
} tni_context;

/* How many calls two whole stacks have in common, one after the other. */
typedef struct tni_context_pair {
  uint32_t process, first, second;  // key; second 0: nothing is kept here
  uint32_t same;
} tni_context_pair;

typedef struct tni_contexts {
  const tni_trace *trace;
  tni_names *names;
  tni_context *items;       // by hash of the key; TNI_CONTEXTS of them
  tni_context_pair *pairs;  // the same
} tni_contexts;

void tni_contexts_init(tni_contexts *contexts, const tni_trace *trace,
                       tni_names *names);
void tni_contexts_fini(tni_contexts *contexts);

/* The calls of an event's stack, until the next call of this.
 *
 *   event   of which process, thread, stack, context and sp count
 *   returns NULL when their places are not known, or not on the thread's stack
 */
const tni_context *tni_contexts_get(tni_contexts *contexts,
                                    const tni_trace_event *event);

/* What tni_calls_enter does for an event whose stack is c.  A tni_calls is given
 * events by this only, of one process. */
void tni_contexts_enter(tni_contexts *contexts, const tni_context *c,
                        tni_calls *calls, uint64_t now);

#endif
