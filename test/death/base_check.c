/* death: SIGABRT "internal check failed: [base.ours] 1 + 1 == 3" modes: release debug harden */
#include "base/base.h"

int
main(void)
{
  TNI_CHECK_ON(1 + 1 == 3, "base.ours");
  return 0;
}
