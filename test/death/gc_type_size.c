/* death: SIGABRT "[gc.size] a type's sizes" modes: debug harden */
#include "death/gc_death.h"

int
main(void)
{
  death_begin("semi", false);
  const tn_type_spec spec = {
      .name = "vast", .size = SIZE_MAX / 2, .element_size = 8};
  (void)tn_gc_type(death_heap, &spec, NULL);
  return 0;
}
