/* death: SIGABRT "[array.index] index is not less than the count" modes: debug harden */
#include <tenure/array.h>
#include <tenure/source.h>

int
main(void)
{
  unsigned char buffer[1024];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TN_SEGMENTS(int) a;
  tn_array_init(&a, &fixed.provider);
  for (int i = 0; i < 9; i++)
    tn_array_push(&a, i);
  return *tn_array_at(&a, 9);
}
