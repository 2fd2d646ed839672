/* death: SIGABRT "[arena.mark] a result" modes: debug harden */
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
  (void)tn_arena_keep(&a, tn_arena_get_mark(&b), tn_arena_push(&a, 8), 8);
  return 0;
}
