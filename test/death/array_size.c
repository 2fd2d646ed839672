/* death: SIGABRT "[array.size] count * size is more than half the address space" modes: debug harden */
#include <tenure/array.h>
#include <tenure/source.h>

int
main(void)
{
  unsigned char buffer[256];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TN_ARRAY(long) a;
  tn_array_init(&a, &fixed.provider);
  return tn_array_reserve(&a, SIZE_MAX / sizeof(long));
}
