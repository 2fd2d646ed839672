/* death: SIGABRT "[scratch.order] a scratch arena is given back" modes: debug harden */
#include <tenure/scratch.h>

int
main(void)
{
  const tn_scratch outer = tn_scratch_begin(NULL, 0);
  const tn_scratch inner = tn_scratch_begin(NULL, 0);
  tn_scratch_end(outer);
  tn_scratch_end(inner);
  return 0;
}
