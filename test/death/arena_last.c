/* death: SIGABRT "[arena.last]" modes: debug harden */
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
  void *const p = tn_arena_push(&b, 100);
  tn_arena_free(&a, p, 100);
  return 0;
}
