/* death: SIGABRT "[region.bounds] test" modes: release debug harden */
#include "vm/vm.h"

static const tni_owner_ops ops = {"test", NULL};

int
main(void)
{
  tn_status status;
  const tni_region_options options = {.size = 1,
                                      .commit = TNI_COMMIT_TOUCH,
                                      .grows_down = true,
                                      .ops = &ops,
                                      .name = "frame"};
  const tni_region *const region = tni_region_create(&options, &status);
  *(volatile unsigned char *)(region->low - 1) = 1;
  return 0;
}
