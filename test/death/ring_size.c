/* death: SIGABRT "[ring.size] a block of 0 bytes" modes: debug harden */
#include <tenure/ring.h>

int
main(void)
{
  static _Alignas(16) unsigned char buffer[4096];
  tn_ring ring;
  if (tn_ring_over(&ring, buffer, sizeof buffer))
    return 1;
  return tn_ring_push(&ring, 0) == NULL;
}
