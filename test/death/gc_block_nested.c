/* death: SIGABRT "[gc.block] blocking regions do not nest" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  tn_gc_block_begin(death_m);
  tn_gc_block_begin(death_m);
  return 0;
}
