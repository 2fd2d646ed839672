/* death: SIGABRT "[array.index] index is not less than the count" modes: debug harden */
#include <tenure/array.h>
#include <tenure/source.h>

int
main(void)
{
  unsigned char buffer[256];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TN_ARRAY(int) a;
  tn_array_init(&a, &fixed.provider);
  tn_array_push(&a, 1);
  return *tn_array_at(&a, 1);
}
