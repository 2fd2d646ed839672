/* death: SIGABRT "[bump.mark]" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_bump_mark mark = tn_bump_get_mark(&b);
  TN_WITH_SCOPE(s, &b) mark = tn_bump_get_mark(s);
  tn_bump_rewind(&b, mark);
  return 0;
}
