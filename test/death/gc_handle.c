/* death: SIGABRT "[gc.handle] a handle is removed twice" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  tn_ref *const handle = tn_gc_handle(death_m, death_new());
  tn_gc_handle_remove(death_m, handle);
  tn_gc_handle_remove(death_m, handle);
  return 0;
}
