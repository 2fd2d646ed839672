/* death: SIGABRT "[ring.newest] block" modes: debug harden */
#include <tenure/ring.h>

int
main(void)
{
  static _Alignas(16) unsigned char buffer[4096];
  tn_ring ring;
  if (tn_ring_over(&ring, buffer, sizeof buffer))
    return 1;
  char *const a = tn_ring_push(&ring, 100), *const b = tn_ring_push(&ring, 100);
  tn_ring_drop(&ring, a, 100);
  return a == b;
}
