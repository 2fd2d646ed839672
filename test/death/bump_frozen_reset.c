/* death: SIGABRT "[bump.frozen]" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_SCOPE(s, &b);
  tn_bump_reset(&b);
  return 0;
}
