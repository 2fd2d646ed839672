/* event.h -- what a listener is told
 *
 * One listener a process.  Disciplines say what happened; they do not know who
 * listens, and without a listener nobody says anything.  Buffers, filters and
 * files belong to the listener.
 *
 * Release builds report what costs a call anyway: regions, growth, exhaustion.
 * Debug builds (TN_DEBUG from 1) report every push, scope and reset as well:
 * in release those are a few inline instructions and nothing can be hung on
 * them.
 *
 * Threads   the listener is called on the thread where it happened, perhaps in
 *           a signal handler (TN_EVENT_GROW): it must not lock or allocate.
 * Design    doc/design/event.md      Tests  test/event/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_EVENT_H
#define TENURE_EVENT_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* name, what address and size mean */
#define TN_EVENT_TABLE(X)                                                      \
  X(TN_EVENT_RESERVE, "address space taken: base, bytes")                      \
  X(TN_EVENT_RELEASE, "address space given back: base, bytes")                 \
  X(TN_EVENT_COMMIT, "memory made usable: base, bytes")                        \
  X(TN_EVENT_DECOMMIT, "memory given back: base, bytes")                       \
  X(TN_EVENT_GROW, "memory made usable by a touch: fault address, bytes")      \
  X(TN_EVENT_EXHAUSTED, "a request that could not be met: cursor, bytes")      \
  X(TN_EVENT_PUSH, "a block: start, bytes asked (debug builds)")               \
  X(TN_EVENT_FREE, "a block freed: start, bytes (debug builds)")               \
  X(TN_EVENT_SCOPE_OPEN, "a scope begins: cursor, 0 (debug builds)")           \
  X(TN_EVENT_SCOPE_CLOSE, "a scope ends: cursor, bytes released (debug)")      \
  X(TN_EVENT_RESET, "all released: cursor, bytes released (debug builds)")     \
  X(TN_EVENT_COLLECT, "the world stands for a collection: NULL, bytes used")   \
  X(TN_EVENT_COLLECTED, "it goes on: NULL, bytes used")

typedef enum tn_event_kind {
#define TNI_EVENT_ENUM(name, text) name,
  TN_EVENT_TABLE(TNI_EVENT_ENUM)
#undef TNI_EVENT_ENUM
      TN_EVENT_KINDS
} tn_event_kind;

typedef struct tn_event {
  tn_event_kind kind;
  const char *discipline;  // "bump", "vm" ...: static text
  const void *instance;    // which allocator; NULL when it has no identity
  const void *address;
  size_t size;  // bytes
} tn_event;

typedef struct tn_listener tn_listener;
struct tn_listener {
  void (*on_event)(tn_listener *listener, const tn_event *event);
};

/* Make listener the process's one listener, or remove it (NULL).  The storage
 * stays the caller's and must outlive every event: one that is being delivered
 * on another thread may still arrive shortly after the change.
 *
 *   returns the listener before, or NULL
 *   threads any
 *   cost    O(1)
 */
TN_API tn_listener *tn_listen(tn_listener *listener);

/* The name of a kind as it is spelled in C; "TN_EVENT_UNKNOWN" otherwise. */
TN_API const char *tn_event_name(tn_event_kind kind);

TN_END_DECLS
#endif
