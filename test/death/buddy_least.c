/* death: SIGABRT "[buddy.least] the smallest block is no power of two from 16 on" modes: debug harden */
#include <tenure/buddy.h>

int
main(void)
{
  static unsigned char buffer[4096];
  tn_buddy buddy;
  return tn_buddy_over(&buddy, buffer, sizeof buffer, 8) == TN_OK;
}
