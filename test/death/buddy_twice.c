/* death: SIGABRT "[buddy.twice] " modes: debug harden */
#include <tenure/buddy.h>

int
main(void)
{
  static _Alignas(4096) unsigned char buffer[8192];
  tn_buddy buddy;
  if (tn_buddy_over(&buddy, buffer, sizeof buffer, 64))
    return 1;
  void *const a = tn_buddy_alloc(&buddy, 100);
  tn_buddy_free(&buddy, a);
  tn_buddy_free(&buddy, a);
  return 0;
}
