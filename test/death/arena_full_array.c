/* death: SIGABRT "[arena.full] arena frame is full: asked for 18446744073709551615 bytes" modes: release debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  (void)TN_ARENA_ARRAY(&a, double, SIZE_MAX / 8 + 2);
  return 0;
}
