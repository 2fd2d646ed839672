/* death: SIGABRT "the one in turn is" modes: debug harden */
#include <tenure/ring.h>

int
main(void)
{
  static _Alignas(16) unsigned char buffer[4096];
  tn_ring ring;
  if (tn_ring_over(&ring, buffer, sizeof buffer))
    return 1;
  char *const a = tn_ring_push(&ring, 100), *const b = tn_ring_push(&ring, 100);
  tn_ring_pop(&ring, a, 90);  // of 96 bytes, not 112
  tn_ring_pop(&ring, b, 100);
  return 0;
}
