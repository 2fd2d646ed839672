/* death: SIGABRT "[bump.full]" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  volatile uint32_t most = UINT32_MAX;
  for (int i = 0; i < 3; i++)
    tn_bump_push(&b, most);
  return 0;
}
