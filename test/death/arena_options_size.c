/* death: SIGABRT "[arena.options]" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_arena b;
  (void)tn_arena_create(
      &b, &(tn_arena_options){.size = 1, .provider = tn_arena_provider(&a)});
  return 0;
}
