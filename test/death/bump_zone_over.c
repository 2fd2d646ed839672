/* death: SIGABRT "[bump.zone] allocator s has a block of 10 bytes at" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_WITH_SCOPE(s, &b)
  {
    char *const p = tn_bump_push(s, 10);
    tn_bump_push(s, 1);
    p[10] = 1;
  }
  return 0;
}
