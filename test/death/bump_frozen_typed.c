/* death: SIGABRT "[bump.frozen]" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump_f32 b;
  if (tn_bump_f32_create(&b, NULL))
    return 1;
  TN_WITH_SCOPE(s, &b) tn_bump_f32_push(&b, 1);
  return 0;
}
