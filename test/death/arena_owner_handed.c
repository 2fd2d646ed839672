/* death: SIGABRT "[arena.owner] arena frame is used by thread 1 while" modes: debug */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_arena_hand_over(&a);
  (void)tn_arena_push(&a, 1);
  return 0;
}
