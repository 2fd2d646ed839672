#include "event/event.h"

_Atomic(tn_listener *) tni_event_listener;

tn_listener *
tn_listen(tn_listener *listener)
{
  /* Releases the new listener's fields to tni_event_say; acquires those of the
   * one before for the caller.  [event.one] */
  return tni_swap_acq_rel(&tni_event_listener, listener);
}

void
tni_event_deliver(tn_listener *listener, tn_event event)
{
  listener->on_event(listener, &event);
}

const char *
tn_event_name(tn_event_kind kind)
{
  switch (kind) {
#define EVENT_NAME(name, text)                                                 \
  case name: return #name;
    TN_EVENT_TABLE(EVENT_NAME)
#undef EVENT_NAME
  case TN_EVENT_KINDS: break;
  }
  return "TN_EVENT_UNKNOWN";
}
