/* test_heap_host.c -- sparse pages lend their holes to larger blocks
 *
 * Covers  [host.units] [host.readers] [host.align]
 * SPDX-License-Identifier: MIT
 */
#include "heap/host.h"

#include "heap/heap.h"
#include "os/os.h"
#include "test.h"

/* ---- One page ---------------------------------------------------------------- */

enum { UNITS = 2048 };

static unsigned char owner[UNITS];  // 0: free; else some number
static void *taken[UNITS];
static unsigned taken_units[UNITS];
static size_t taken_count;

/* Take blocks of so many units, mark whose their units are. */
static void
take(tni_heap_page *page, unsigned units, size_t n)
{
  const size_t size = page->size * units;
  void **const out = taken + taken_count;
  const size_t got = tni_host_take_from(page, units, out, n);
  TEST(tni_page_is_valid(page));
  for (size_t i = 0; i < got; i++) {
    const size_t offset =
        tni_address(out[i]) - tni_address(tni_page_start(page));
    TEST(offset % page->size == 0 && offset % (size & -size) == 0);
    TEST(i == 0 || out[i] < out[i - 1]);
    TEST(tni_page_granted(page, offset) == size);
    TEST(tni_page_class(page, offset) == tn_heap_class(size));
    taken_units[taken_count + i] = units;
    for (unsigned u = 0; u < units; u++) {
      TEST(owner[offset / page->size + u] == 0);
      owner[offset / page->size + u] = (unsigned char)(1 + units);
    }
  }
  taken_count += got;
  /* None fits when fewer were taken than wanted. */
  const unsigned step = (unsigned)((size & -size) / (page->size & -page->size));
  for (unsigned at = 0; got < n && at + units <= page->blocks; at += step) {
    unsigned u = 0;
    while (u < units && owner[at + u] == 0)
      u++;
    TEST(u < units);
  }
}

static void
put(tni_heap_page *page, size_t i)
{
  const size_t offset =
      tni_address(taken[i]) - tni_address(tni_page_start(page));
  const uint32_t before = page->free;
  if (taken_units[i] > 1)
    TEST(!tni_page_put(page, offset + page->size));  // inside
  TEST(tni_page_put(page, offset));
  TEST(!tni_page_put(page, offset));
  TEST(page->free == before + taken_units[i]);
  for (unsigned u = 0; u < taken_units[i]; u++)
    owner[offset / page->size + u] = 0;
  taken[i] = taken[--taken_count];
  taken_units[i] = taken_units[taken_count];
  TEST(tni_page_is_valid(page));
}

static void
one_page(unsigned size_class)
{
  bool is_clean;
  tni_heap_page *const page = tni_slices_take(NULL, 1, 1, true, &is_clean);
  if (!TEST(page != NULL))
    return;
  tni_page_init(page, 1, is_clean);  // whose bits fill all words
  tni_page_init(page, size_class, is_clean);
  TEST(page->blocks <= TNI_HOST_WORDS * 64);
  memset(owner, 0, sizeof owner);
  static void *blocks[UNITS];
  const size_t count = page->blocks;
  TEST(tni_page_take(page, blocks, count) == count);
  const uintptr_t start = tni_address(tni_page_start(page));
  uint64_t random = test_seed() + size_class;
  taken_count = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t offset = tni_address(blocks[i]) - start;
    if (test_random(&random) % 40 == 0) {
      taken[taken_count] = blocks[i];
      taken_units[taken_count++] = 1;
      owner[offset / page->size] = 1;
    } else {
      TEST(tni_page_put(page, offset));
    }
  }
  tni_host_open(page);
  TEST(tni_page_is_host(page) && tni_page_is_valid(page));
  for (int step = 0; step < 200; step++) {
    const uint64_t n = test_random(&random);
    if (n % 2)
      take(page, 1 + (unsigned)(n >> 8) % TNI_HOST_UNITS, 1 + (n >> 32) % 20);
    for (uint64_t i = n >> 40 & 31; i > 0 && n % 3 == 0 && taken_count > 0; i--)
      put(page, test_random(&random) % taken_count);
  }
  while (taken_count > 0)
    put(page, taken_count - 1);
  TEST(page->free == page->blocks);
  tni_page_fini(page);
  tni_slices_give(page->space, page, 1, true);
}

/* ---- A heap ---------------------------------------------------------------------- */

enum { SMALL = 500000, LARGER = 4000 };

static unsigned char *small[SMALL];
static unsigned char *larger[LARGER];

/* One small block in 64 is left. */
static void
scatter(tn_heap *heap)
{
  for (size_t i = 0; i < SMALL; i++) {
    small[i] = tn_heap_allocate(heap, 32, 16, 0).pointer;
    memset(small[i], (int)i & 255, 32);
  }
  for (size_t i = 0; i < SMALL; i++)
    if (i % 64 != 0)
      tn_heap_free(heap, small[i], 32, 16);
}

static bool
count_block(void *argument, void *block, size_t size)
{
  (void)block;
  *(size_t *)argument += size;
  return true;
}

static void
free_larger(void *heap)
{
  for (size_t i = 1; i < LARGER; i += 2) {
    TEST(tn_heap_granted(larger[i]) == 256);
    if (i % 4 == 1)
      tn_heap_free_any(larger[i]);
    else
      tn_heap_free(heap, larger[i], 256, 16);
  }
}

static void
check_larger(size_t i)
{
  size_t right = 0;
  while (right < 256 && larger[i][right] == (unsigned char)i)
    right++;
  TEST(right == 256);
}

static void
whole_heap(tn_heap *heap)
{
  tn_heap_stats before;
  tn_heap_stats stats;
  scatter(heap);
  tn_heap_get_stats(heap, &before);
  for (size_t i = 0; i < LARGER; i++) {
    larger[i] = tn_heap_allocate(heap, 256, 16, 0).pointer;
    TEST(tni_is_aligned(tni_address(larger[i]), 256));
    const unsigned in_map = tni_heap_map_class(larger[i]);
    TEST(in_map == 0 || in_map == tn_heap_class(256));
    TEST(tn_heap_granted(larger[i]) == 256 && tn_heap_of(larger[i]) == heap);
    memset(larger[i], (int)i & 255, 256);
  }
  tn_heap_get_stats(heap, &stats);
  TEST(stats.lodged >= before.lodged + LARGER / 2);
  TEST(stats.pages <= before.pages + TNI_KIB(256));
  TEST(stats.live == before.live + LARGER * 256);
  size_t walked = 0;
  TEST(tn_heap_walk(heap, count_block, &walked));
  TEST(walked == stats.live);
  char is[200];
  (void)tn_describe(larger[7] + 100, is, sizeof is);
  TEST(strstr(is, "256") != NULL);
  for (size_t i = 0; i < LARGER; i++)
    check_larger(i);
  for (size_t i = 0; i < SMALL; i += 64)
    TEST(small[i][0] == (i & 255) && small[i][31] == (i & 255));
  /* Growing one copies all of it. */
  larger[0] = tn_heap_reallocate(heap, larger[0], 5000, 16).pointer;
  check_larger(0);
  larger[0] = tn_heap_reallocate(heap, larger[0], 256, 16).pointer;
  check_larger(0);
  tni_os_thread *thread = NULL;
  TEST(tni_os_thread_start(&thread, free_larger, heap, NULL) == TN_OK);
  tni_os_thread_join(thread);
  for (size_t i = 2; i < LARGER; i += 2)
    tn_heap_free_any(larger[i]);
  tn_heap_free_any(larger[0]);
  for (size_t i = 0; i < SMALL; i += 64)
    tn_heap_free_any(small[i]);
  tn_idle();
  (void)tn_purge_all();
  tn_heap_get_stats(heap, &stats);
  TEST(stats.live < TNI_KIB(8));
  TEST(stats.pages <= TNI_KIB(256));
}

int
main(void)
{
  for (unsigned c = TNI_HOST_FIRST; c <= TNI_HOST_LAST; c++)
    one_page(c);
  whole_heap(tn_heap_default());
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  if (TEST(heap != NULL)) {
    whole_heap(heap);
    scatter(heap);
    tn_heap_destroy(heap);
  }
  return test_done();
}
