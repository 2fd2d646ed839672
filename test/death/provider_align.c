/* death: SIGABRT "[provider.align] alignment is not a power of two" modes: debug harden */
#include <tenure/source.h>

int
main(void)
{
  unsigned char buffer[64];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  return tn_allocate(&fixed.provider, 8, 24).pointer == buffer;
}
