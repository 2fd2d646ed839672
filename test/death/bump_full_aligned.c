/* death: SIGABRT "[bump.full]" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_bump_push_aligned(&b, UINT32_MAX, 1u << 31);
  return 0;
}
