/* death: SIGABRT "[array.memory] no room for more than 16 elements of 4 bytes in provider" modes: release debug harden */
#include <tenure/array.h>
#include <tenure/source.h>

int
main(void)
{
  _Alignas(16) unsigned char buffer[64];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TN_ARRAY(int) a;
  tn_array_init(&a, &fixed.provider);
  for (int i = 0;; i++)
    tn_array_push(&a, i);
}
