/* death: SIGABRT "[arena.options]" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  char buffer[100];
  (void)tn_arena_create(&a, &(tn_arena_options){.buffer = buffer});
  return 0;
}
