/* death: SIGABRT "[arena.mark]" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  (void)tn_arena_push(&a, 10);
  const tn_arena_mark mark = tn_arena_get_mark(&a);
  tn_arena_reset(&a);
  tn_arena_rewind(&a, mark);
  return 0;
}
