/* death: SIGABRT "[bump.frozen] allocator frame is used while its scope t lives" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_LOCAL(t, 64, &b);
  tn_bump_push(&b, 1);
  return 0;
}
