/* event.h -- telling the listener, if there is one
 *
 * The door of the event layer: one load and one branch when nobody listens.
 *
 * Invariants
 *   [event.one]    there is one listener; a swap gives back the one before.
 *   [event.whole]  an event arrives whole, once, at the listener that was
 *                  there when it was said.
 * Threads   tni_event_say from any thread, also in a signal handler.
 * Design    doc/design/event.md      Tests  test/event/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_EVENT_H
#define TNI_EVENT_H

#include <tenure/event.h>

#include "base/base.h"

/* The one listener; NULL when nobody listens. */
extern _Atomic(tn_listener *) tni_event_listener;  // atomic: acq/rel

/* Compose the event and call listener. */
TN_COLD void tni_event_deliver(tn_listener *listener, tn_event event);

static inline void
tni_event_say(tn_event_kind kind, const char *discipline, const void *instance,
              const void *address, size_t size)
{
  /* Pairs with the release in tn_listen: what the listener points to is seen
   * complete.  [event.whole] */
  tn_listener *const listener = tni_load_acquire(&tni_event_listener);
  if (TN_UNLIKELY(listener != NULL))
    tni_event_deliver(listener,
                      (tn_event){kind, discipline, instance, address, size});
}

#endif
