/* death: SIGABRT "[checked.full] allocator asked is full: asked for" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_checked c;
  if (tn_checked_create(
          &c, &(tn_checked_options){.name = "asked", .size = 1 << 20}))
    return 1;
  for (;;)
    tn_checked_push(&c, 1000);
  return 0;
}
