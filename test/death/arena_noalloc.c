/* death: SIGABRT "[scope.noalloc] work+0x" modes: debug */
#include <tenure/arena.h>

TN_API void work(tn_arena *a);

__attribute__((noinline)) void
work(tn_arena *a)
{
  *(char *)tn_arena_push(a, 1) = 1;
}

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_NOALLOC work(&a);
  return 0;
}
