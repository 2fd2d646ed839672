/* death: SIGABRT "[bump.mark] allocator t is reset to frame" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_SCOPE(s, &b);
  TN_SCOPE(t, s);
  TN_SCOPE_RESET(t, &b);
  return 0;
}
