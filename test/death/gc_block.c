/* death: SIGABRT "[gc.block] an allocation in a blocking region" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  tn_gc_block_begin(death_m);
  (void)death_new();
  return 0;
}
