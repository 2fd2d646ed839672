/* death: SIGABRT "it is free already" modes: debug harden */
#include <tenure/buddy.h>

int
main(void)
{
  static _Alignas(4096) unsigned char buffer[8192];
  tn_buddy buddy;
  if (tn_buddy_over(&buddy, buffer, sizeof buffer, 64))
    return 1;
  tn_buddy_free(&buddy, tn_buddy_alloc(&buddy, 64));
  char *const a = tn_buddy_alloc(&buddy, 64), *const b =
                                                  tn_buddy_alloc(&buddy, 64);
  tn_buddy_free(&buddy, a);
  tn_buddy_free(&buddy, b);
  tn_buddy_free(&buddy, b);
  return 0;
}
