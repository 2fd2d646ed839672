/* death: SIGABRT "[arena.full] arena frame is full: asked for 2097152 bytes" modes: release debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  (void)tn_arena_push(&a, 2 << 20);
  return 0;
}
