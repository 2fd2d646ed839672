/* death: SIGABRT "[gc.map] a type's map reaches beyond its size" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  const tn_type_spec spec = {.name = "short", .size = 8, .map = 2};
  (void)tn_gc_type(death_heap, &spec, NULL);
  return 0;
}
