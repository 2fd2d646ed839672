/* death: SIGABRT "[bump.mark]" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_SCOPE(s, &b);
  TN_SCOPE(t, s);
  (void)TN_KEEP(&b, t, tn_bump_push(t, 8), 8);
  return 0;
}
