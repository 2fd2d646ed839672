/* test_pagemap32.c -- the page map of a 32-bit system, on this one: the same
 * code compiled for 32 address bits, under other names.
 * Covers src/vm/pagemap.h: [pagemap.owner] [pagemap.canonical]
 */
#define TNI_VM_ADDRESS_BITS 32
#define tni_pagemap_root    test_pagemap32_root
#define tni_pagemap_set     test_pagemap32_set
#define tni_pagemap_clear   test_pagemap32_clear
#include "vm/pagemap.c"

#include "pagemap_model.h"

int
main(void)
{
  _Static_assert(TNI_PAGEMAP_ROOTS == 1, "one leaf is all of the map");
  const size_t leaf = (size_t)1 << TNI_LEAF_LOG2;
  const tni_owner *const owner = &model_owners[0];
  TEST(tni_pagemap_set(model_address(leaf), TNI_SLICE_SIZE, owner) ==
       TN_ERANGE);
  TEST(tni_pagemap_set(model_address(leaf - 1), 2 * TNI_SLICE_SIZE, owner) ==
       TN_ERANGE);
  TEST(tni_pagemap_set(model_address(leaf - 1), TNI_SLICE_SIZE, owner) ==
       TN_OK);
  TEST(tni_pagemap_find((const void *)(uintptr_t)0xffffffffu) == owner);
  TEST(tni_pagemap_find((const void *)(uintptr_t)0x1ffffffffu) == NULL);
  tni_pagemap_clear(model_address(leaf - 1), TNI_SLICE_SIZE);
  model_run(0, leaf, 2000);
  return test_done();
}
