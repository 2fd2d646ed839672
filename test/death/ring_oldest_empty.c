/* death: SIGABRT "with 16 bytes: only 0 are live" modes: debug harden */
#include <tenure/ring.h>

int
main(void)
{
  static _Alignas(16) unsigned char buffer[4096];
  tn_ring ring;
  if (tn_ring_over(&ring, buffer, sizeof buffer))
    return 1;
  tn_ring_pop(&ring, tn_ring_oldest(&ring), 16);
  return 0;
}
