/* death: SIGABRT "[bump.full]" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump_f64 b;
  if (tn_bump_f64_create(&b, &(tn_bump_options){.size = 1 << 20}))
    return 1;
  for (;;)
    tn_bump_f64_push(&b, UINT32_MAX);
  return 0;
}
