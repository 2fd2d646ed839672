/* death: SIGABRT "[gc.size] an object is allocated with another size" modes: debug */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  (void)tn_gc_new_sized(death_m, death_type, 16);
  return 0;
}
