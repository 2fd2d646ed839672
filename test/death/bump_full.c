/* death: SIGABRT "[bump.full] allocator frame is full" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  for (;;)
    tn_bump_push(&b, 100);
  return 0;
}
