/* death: SIGABRT "[scratch.order] a thread" modes: debug harden */
#include <tenure/scratch.h>

int
main(void)
{
  TN_SCRATCH(s, NULL);
  tn_scratch_fini();
  return 0;
}
