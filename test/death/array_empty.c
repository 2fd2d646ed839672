/* death: SIGABRT "[array.empty] pop from an array that has no elements" modes: debug harden */
#include <tenure/array.h>
#include <tenure/source.h>

int
main(void)
{
  unsigned char buffer[256];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TN_SEGMENTS(int) a;
  tn_array_init(&a, &fixed.provider);
  tn_array_push(&a, 1);
  (void)tn_array_pop(&a);
  return tn_array_pop(&a);
}
