/* death: SIGABRT "[scratch.order] a scratch arena is given back" modes: debug harden */
#include <tenure/scratch.h>

int
main(void)
{
  const tn_scratch s = tn_scratch_begin(NULL, 0);
  tn_scratch_end(s);
  tn_scratch_end(s);
  return 0;
}
