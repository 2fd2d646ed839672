/* death: SIGABRT "[checked.full] allocator frame is full: asked for" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_LOCAL(scratch, 256, &b);
  for (;;)
    tn_checked_push(scratch, 1000);
  return 0;
}
