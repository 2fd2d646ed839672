/* death: SIGABRT "[checked.full] allocator scratch is full: asked for 512 bytes, 256 left" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  TN_LOCAL(scratch, 256, NULL);
  tn_checked_push(scratch, 500);
  return 0;
}
