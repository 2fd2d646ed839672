/* death: SIGABRT "[arena.full] arena frame" modes: release debug harden */
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
  for (;;)
    (void)tn_arena_push(&a, 1000);
  return 0;
}
