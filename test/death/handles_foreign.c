/* death: SIGABRT "[handles.foreign] handle 0x44801 is freed in pool without a name: it is not of this pool" modes: debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool, other;
  const tn_handles_options one = {.most = 1000, .tag_bits = 8, .tag = 17},
                           two = {.most = 1000, .tag_bits = 8, .tag = 18};
  if (tn_handles_create(&pool, 8, &one) || tn_handles_create(&other, 8, &two))
    return 1;
  if (!tn_handles_alloc(&pool, NULL).bits ||
      !tn_handles_alloc(&other, NULL).bits)
    return 1;
  tn_handles_free(&pool, tn_handles_alloc(&other, NULL));
  return 0;
}
