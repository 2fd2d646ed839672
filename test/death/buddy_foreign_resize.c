/* death: SIGABRT "it is inside a block, not its start" modes: debug harden */
#include <tenure/buddy.h>

int
main(void)
{
  static _Alignas(4096) unsigned char buffer[8192];
  tn_buddy buddy;
  if (tn_buddy_over(&buddy, buffer, sizeof buffer, 64))
    return 1;
  char *const a = tn_buddy_alloc(&buddy, 1000);
  return tn_buddy_resize(&buddy, a + 8, 10) == 0;
}
