/* death: SIGABRT "[provider.size] a request for 0 bytes" modes: debug harden */
#include <tenure/source.h>

int
main(void)
{
  unsigned char buffer[64];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  return tn_allocate(&fixed.provider, 0, 1).pointer == buffer;
}
