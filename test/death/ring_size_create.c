/* death: SIGABRT "[ring.size] a ring of 0 bytes" modes: debug harden */
#include <tenure/ring.h>

int
main(void)
{
  tn_ring ring;
  return tn_ring_create(&ring, 0, NULL) == TN_OK;
}
