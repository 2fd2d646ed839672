/* death: SIGABRT "[arena.owner] an arena is adopted" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_arena_adopt(&a);
  return 0;
}
