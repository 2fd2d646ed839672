/* test_pagemap.c -- the page map against a model, at both ends of the address
 * space, and what it refuses.
 * Covers src/vm/pagemap.h: [pagemap.owner] [pagemap.leaf] [pagemap.canonical]
 */
#include "pagemap_model.h"

static void
test_limits(void)
{
  const tni_owner *const owner = &model_owners[0];
  const size_t slices = (size_t)1 << (TNI_VM_ADDRESS_BITS - TNI_SLICE_LOG2);
  TEST(tni_pagemap_set(model_address(slices), TNI_SLICE_SIZE, owner) ==
       TN_ERANGE);
  TEST(tni_pagemap_set(model_address(slices - 1), 2 * TNI_SLICE_SIZE, owner) ==
       TN_ERANGE);
  TEST(tni_pagemap_set(model_address(slices - 1), SIZE_MAX - TNI_SLICE_SIZE + 1,
                       owner) == TN_ERANGE);
  TEST(tni_pagemap_find(model_address(slices - 1)) == NULL);
  TEST(tni_pagemap_find(model_address(slices)) == NULL);
  TEST(tni_pagemap_find(NULL) == NULL);

  /* [pagemap.canonical] owned address bits below, others above. */
  const size_t slice = 0x12345678;
  TEST(tni_pagemap_set(model_address(slice), TNI_SLICE_SIZE, owner) == TN_OK);
  TEST(tni_pagemap_find(model_address(slice)) == owner);
  for (unsigned bit = TNI_VM_ADDRESS_BITS; bit < 64; bit++)
    TEST(tni_pagemap_find(model_address(
             slice | (size_t)1 << (bit - TNI_SLICE_LOG2))) == NULL);
  tni_pagemap_clear(model_address(slice), TNI_SLICE_SIZE);
}

/* A whole 4 GiB costs a root entry and no leaf; over a leaf that is there it
 * goes into the leaf. */
static void
test_whole(void)
{
  const size_t leaf = (size_t)1 << TNI_LEAF_LOG2;
  /* One slice less than whole, at either end. */
  for (size_t i = 0; i < 2; i++) {
    const size_t first = (70 + i) * leaf + i;
    const size_t bytes = (leaf - 1) << TNI_SLICE_LOG2;
    TEST(tni_pagemap_set(model_address(first), bytes, &model_owners[3]) ==
         TN_OK);
    TEST(tni_pagemap_find(model_address(first)) == &model_owners[3]);
    TEST(!tni_pagemap_find(model_address(i ? first - 1 : first + leaf - 1)));
    tni_pagemap_clear(model_address(first), bytes);
    TEST(!tni_pagemap_find(model_address(first)));
  }

  const size_t start = 77 * leaf;
  const size_t size = leaf << TNI_SLICE_LOG2;
  _Atomic uintptr_t *const root = &tni_pagemap_root[77];
  TEST(tni_pagemap_set(model_address(start), size, &model_owners[1]) == TN_OK);
  TEST(tni_load_relaxed(root) == (uintptr_t)&model_owners[1]);
  tni_pagemap_clear(model_address(start), size);
  TEST(tni_load_relaxed(root) == 0);

  TEST(tni_pagemap_set(model_address(start + 5), TNI_SLICE_SIZE,
                       &model_owners[2]) == TN_OK);
  const uintptr_t published = tni_load_relaxed(root);
  TEST((published & 1) != 0);
  tni_pagemap_clear(model_address(start + 5), TNI_SLICE_SIZE);
  TEST(tni_pagemap_set(model_address(start), size, &model_owners[1]) == TN_OK);
  TEST(tni_load_relaxed(root) == published);
  TEST(tni_pagemap_find(model_address(start + leaf - 1)) == &model_owners[1]);
  tni_pagemap_clear(model_address(start), size);
  TEST(tni_load_relaxed(root) == published);
}

int
main(void)
{
  const size_t leaf = (size_t)1 << TNI_LEAF_LOG2;
  const size_t slices = (size_t)1 << (TNI_VM_ADDRESS_BITS - TNI_SLICE_LOG2);
  test_limits();
  test_whole();
  model_run(leaf * 1000 + 123, 4 * leaf, 1000);
  model_run(0, 3 * leaf, 300);
  model_run(slices - 3 * leaf, 3 * leaf, 300);
  return test_done();
}
