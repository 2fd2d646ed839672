/* death: SIGABRT "[arena.owner]" modes: debug */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_arena_destroy(&a);
  tn_arena_destroy(&a);
  return 0;
}
