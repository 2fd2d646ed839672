/* death: SIGABRT "[gc.snapshot]" modes: debug harden */
#include <tenure/gc_snapshot.h>

#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  tn_gc_snapshot *const s = tn_gc_snapshot_take(death_m, NULL);
  (void)tn_gc_snapshot_object(s, 0);
  return 0;
}
