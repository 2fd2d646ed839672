/* death: SIGABRT "[arena.mark]" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_arena b;
  if (tn_arena_create(&b, NULL))
    return 1;
  tn_arena_rewind(&a, tn_arena_get_mark(&b));
  return 0;
}
