/* death: SIGABRT "[bump.mark] allocator frame is rewound to a mark newer" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  const tn_bump_mark first = tn_bump_get_mark(&b);
  tn_bump_push(&b, 10);
  const tn_bump_mark second = tn_bump_get_mark(&b);
  tn_bump_rewind(&b, first);
  tn_bump_rewind(&b, second);
  return 0;
}
