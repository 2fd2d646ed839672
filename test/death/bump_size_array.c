/* death: SIGABRT "[bump.size]" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  volatile size_t count = (size_t)1 << 62;
  (void)TN_NEW_ARRAY(&b, int, count);
  return 0;
}
