/* death: SIGABRT "[bump.mark] allocator s is a scope" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  TN_SCOPE(s, &b);
  tn_bump_destroy(s);
  return 0;
}
