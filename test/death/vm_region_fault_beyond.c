/* death: SIGABRT "beyond the 4096 bytes that it has at most" modes: release debug harden */
#include "vm/vm.h"

static const tni_owner_ops ops = {"test", NULL};

int
main(void)
{
  tn_status status;
  const tni_region_options options = {.size = 1,
                                      .commit = TNI_COMMIT_FAULT,
                                      .grows_down = false,
                                      .ops = &ops,
                                      .name = "frame"};
  const tni_region *const region = tni_region_create(&options, &status);
  *(volatile unsigned char *)(region->high) = 1;
  return 0;
}
