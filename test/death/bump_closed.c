/* death: SIGABRT "[bump.closed] allocator s" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_SCOPE(s, &b);
  (void)TN_KEEP(&b, s, tn_bump_push(s, 10), 10);
  tn_bump_push(s, 1);
  return 0;
}
