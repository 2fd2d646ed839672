/* death: SIGABRT "[buddy.least] the smallest block is no power of two" modes: debug harden */
#include <tenure/buddy.h>

int
main(void)
{
  static uint32_t table[4096];
  tn_buddy buddy;
  return tn_buddy_over_range(&buddy, table, 0, 4096, 48) == TN_OK;
}
