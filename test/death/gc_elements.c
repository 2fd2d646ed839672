/* death: SIGABRT "[gc.size] elements of a type that has none" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  (void)tn_gc_new_array(death_m, death_type, 3);
  return 0;
}
