/* death: SIGABRT "[gc.reenter] a heap is used inside one of its own calls" modes: debug harden */
#include <tenure/event.h>

#include "death/gc_death.h"

static void
hear(tn_listener *listener, const tn_event *event)
{
  (void)listener;
  if (event->kind == TN_EVENT_COLLECTED)
    (void)death_new();
}

int
main(void)
{
  death_begin("gen", false);
  (void)death_new();
  static tn_listener listener = {hear};
  (void)tn_listen(&listener);
  tn_gc_collect(death_m, TN_GC_FULL);
  return 0;
}
