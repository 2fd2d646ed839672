/* death: SIGABRT "[bump.mark] allocator frame is rewound to a mark of another" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_bump other;
  if (tn_bump_create(&other, NULL))
    return 1;
  tn_bump_rewind(&b, tn_bump_get_mark(&other));
  return 0;
}
