/* death: SIGABRT "[ring.live] what is given back to a ring is no live block of it" modes: debug harden */
#include <tenure/ring.h>

int
main(void)
{
  static _Alignas(16) unsigned char buffer[4096];
  tn_ring ring;
  if (tn_ring_over(&ring, buffer, sizeof buffer))
    return 1;
  tn_ring_provider memory = tn_ring_provide(&ring);
  void *const first = tn_allocate(&memory.provider, 10, 1).pointer;
  void *const a = tn_allocate(&memory.provider, 10, 1).pointer;
  tn_release(&memory.provider, a, 10, 1);
  tn_release(&memory.provider, a, 10, 1);
  return first == a;
}
