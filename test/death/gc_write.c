/* death: SIGABRT "[gc.write] the place of a write is not in the object" modes: debug */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", true);
  const tn_ref a = death_new();
  tn_ref elsewhere = TN_REF_NULL;
  tn_gc_write(death_m, a, &elsewhere, a);
  return 0;
}
