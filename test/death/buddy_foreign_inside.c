/* death: SIGABRT "[buddy.foreign] " modes: debug harden */
#include <tenure/buddy.h>

int
main(void)
{
  static _Alignas(4096) unsigned char buffer[8192];
  tn_buddy buddy;
  if (tn_buddy_over(&buddy, buffer, sizeof buffer, 64))
    return 1;
  char *const a = tn_buddy_alloc(&buddy, 1000);
  tn_buddy_free(&buddy, a + 128);
  return 0;
}
