/* death: SIGABRT "[arena.full]" modes: release debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  (void)tn_arena_push_aligned(&a, 8, 1 << 30);
  return 0;
}
