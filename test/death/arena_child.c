/* death: SIGABRT "[arena.child] arena frame is rewound below its child inner" modes: debug harden */
#include <tenure/arena.h>

int
main(void)
{
  tn_arena a;
  if (tn_arena_create(&a,
                      &(tn_arena_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_arena child;
  TN_WITH_TEMP(&a)
  {
    if (tn_arena_create(&child, &(tn_arena_options){.name = "inner",
                                                    .parent = &a,
                                                    .size = 1 << 20}))
      return 1;
  }
  return 0;
}
