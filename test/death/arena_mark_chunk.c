/* death: SIGABRT "[arena.mark]" modes: debug harden */
#include <tenure/arena.h>
#include <tenure/source.h>

int
main(void)
{
  static unsigned char buffer[65536];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  tn_arena a;
  if (tn_arena_create(&a, &(tn_arena_options){.name = "frame",
                                              .provider = &fixed.provider}))
    return 1;
  (void)tn_arena_push(&a, 10);
  const tn_arena_mark first = tn_arena_get_mark(&a);
  (void)tn_arena_push(&a, 10000);
  const tn_arena_mark second = tn_arena_get_mark(&a);
  tn_arena_rewind(&a, first);
  tn_arena_rewind(&a, second);
  return 0;
}
