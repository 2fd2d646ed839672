/* death: SIGABRT "[bump.zone] allocator frame has lost the zone" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  volatile char *const p = tn_bump_push(&b, 10);
  tn_bump_push(&b, 1);
  p[-1] = 1;
  tn_bump_reset(&b);
  return 0;
}
