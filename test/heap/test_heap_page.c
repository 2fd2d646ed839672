/* test_heap_page.c -- the blocks of one page
 *
 * Covers  [page.free] [page.clean]
 * SPDX-License-Identifier: MIT
 */
#include "heap/page.h"
#include "os/os.h"
#include "test.h"

/* A page of a class, all of it taken and given back at random. */
static void
churn(unsigned size_class)
{
  const size_t slices = tni_page_slices(size_class, TNI_HEAP_SLICE_LOG2);
  bool is_clean;
  tni_heap_page *const page = tni_slices_take(NULL, slices, 1, true, &is_clean);
  if (!TEST(page != NULL))
    return;
  tni_page_init(page, size_class, is_clean);
  const size_t size = tni_class_size(size_class);
  unsigned char *const start = tni_page_start(page);
  TEST(page->blocks >= 4);
  TEST(page->blocks * size <= slices << TNI_HEAP_SLICE_LOG2);
  TEST((slices << TNI_HEAP_SLICE_LOG2) - page->blocks * size <=
       (slices << TNI_HEAP_SLICE_LOG2) / 8);
  TEST(tni_page_is_valid(page));
  static void *blocks[5000];
  static bool is_live[5000];
  memset(is_live, 0, sizeof is_live);
  size_t taken = 0;
  for (size_t n = 1; taken < page->blocks; n = n * 2 + 1) {
    const size_t wanted = tni_min(n, page->free);
    TEST(tni_page_take(page, blocks + taken, wanted) == wanted);
    TEST(TN_HARDEN >= 2 || blocks[taken + wanted - 1] == start + taken * size);
    taken += wanted;
    TEST(tni_page_is_valid(page));
  }
  for (size_t i = 0; i < taken; i++) {
    const size_t index = (size_t)((unsigned char *)blocks[i] - start) / size;
    TEST(!is_live[index]);
    is_live[index] = true;
  }
  TEST(page->free == 0);
  uint64_t random = test_seed();
  for (size_t i = 0; i < page->blocks; i++) {
    const size_t at = test_random(&random) % page->blocks;
    TEST(tni_page_put(page, at * size) == is_live[at]);
    is_live[at] = false;
    TEST(!tni_page_put(page, at * size + 8));
    if (i % 16 == 0)
      TEST(tni_page_is_valid(page));
  }
  tni_page_fini(page);
  tni_slices_give(page->space, page, slices, true);
}

/* Holes are purged, and only holes; then zeros need not be touched. */
static void
holes(void)
{
  const size_t size = 8192;
  bool is_clean;
  (void)tni_slices_purge(SIZE_MAX);
  tni_heap_page *const page = tni_slices_take(NULL, 1, 1, true, &is_clean);
  if (!TEST(page != NULL && is_clean))
    return;
  tni_page_init(page, tn_heap_class(size), is_clean);
  void *blocks[8];
  TEST(page->blocks == 8);
  TEST(tni_page_take(page, blocks, 8) == 8);
  unsigned char *const start = tni_page_start(page);
  memset(start, 0x5a, 8 * size);
  for (size_t i = 0; i < 8; i += 2)
    TEST(tni_page_put(page, i * size));
  TEST(tni_page_purge_holes(page) == 4 * size);
  TEST(tni_page_purge_holes(page) == 0);
  tni_annotate_give(start, 8 * size);
  size_t right = 0;
  while (right < 8 * size && start[right] == (right / size % 2 ? 0x5a : 0))
    right++;
  TEST(right == 8 * size);
  size_t untouched;
  TEST(tni_page_take_zero(page, &untouched) == start && untouched == size);
  memset(start, 1, size);
  TEST(tni_page_put(page, 0));
  TEST(tni_page_take_zero(page, &untouched) == start && untouched == 0);
  for (size_t i = 0; i < size; i++)
    TEST(start[i] == 0);
  for (size_t i = 0; i < 8; i++)
    (void)tni_page_put(page, i * size);
  tni_page_fini(page);
  tni_slices_give(page->space, page, 1, true);
}

/* Rows of bits, beside bits that are set one by one. */
static void
rows(void)
{
  for (size_t first = 0; first < 128; first++)
    for (size_t n = 1; n <= 64; n++) {
      uint64_t bits[3] = {0, 0, 0};
      uint64_t right[3] = {0, 0, 0};
      for (size_t i = first; i < first + n; i++)
        right[i / 64] |= (uint64_t)1 << i % 64;
      TEST(tni_page_put_row(bits, first, n));
      TEST(memcmp(bits, right, sizeof bits) == 0);
      /* Its last bit is set: nothing changes. */
      const size_t late = first + n - 1;
      const size_t longer = tni_min(late + 1, 8);
      TEST(!tni_page_put_row(bits, late + 1 - longer, longer));
      TEST(memcmp(bits, right, sizeof bits) == 0);
    }
}

int
main(void)
{
  rows();
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++)
    churn(c);
  holes();
  return test_done();
}
