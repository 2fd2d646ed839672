/* death: SIGABRT "[arena.last]" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  void *const p = tn_arena_push(&a, 100);
  (void)tn_arena_resize(&a, p, 5000, 10);
  return 0;
}
