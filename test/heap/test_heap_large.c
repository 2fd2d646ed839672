/* test_heap_large.c -- growing, shrinking and moving large blocks
 *
 * Covers  [large.size] [space.map] [purge.budget]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>

#include "heap/heap.h"
#include "heap/purge.h"
#include "os/os.h"
#include "test.h"

#define STEP TNI_KIB(64)

/* From 64 KiB to 126 MiB: few moves, nothing lost, and nothing touched that
 * the program did not touch. */
static void
growing(void)
{
  unsigned char *block = NULL;
  unsigned moves = 0;
  void *blockers[8] = {NULL};
  const size_t resident = tni_os_resident();
  for (size_t size = STEP; size <= 2016 * STEP; size += STEP) {
    unsigned char *const next =
        tn_heap_reallocate(NULL, block, size, 16).pointer;
    if (!TEST(next != NULL))
      return;
    if (block && next != block && moves++ < 8)  // in its way from now on
      blockers[moves - 1] =
          tn_heap_allocate(tn_heap_default(), TNI_MIB(1), 16, 0).pointer;
    block = next;
    block[size - STEP] = (unsigned char)(size / STEP);
  }
  TEST(moves <= 5 || tni_slices_is_scarce());
  for (size_t i = 0; i < 2016; i++)
    TEST(block[i * STEP] == (unsigned char)(i + 1));
  TEST(TNI_HAS_ASAN || TNI_HAS_TSAN ||
       tni_os_resident() - resident < TNI_MIB(16));
  for (size_t size = 2000 * STEP; size > 3 * STEP; size = size * 2 / 3) {
    block = tn_heap_reallocate(NULL, block, size, 16).pointer;
    TEST(block[size / STEP / 2 * STEP] == (unsigned char)(size / STEP / 2 + 1));
    TEST(tn_heap_granted(block) - size < STEP);
  }
  tn_heap_free_any(block);
  tn_heap_free_batch(blockers, 8);
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.live == 0 && stats.grown > 0);
  TEST(moves == 0 || !tni_os_get_config()->can_move || stats.moved > 0 ||
       tni_slices_is_scarce());
}

/* Zeros that nobody touches cost no memory, also after dirty ones. */
static void
zeros(void)
{
  tn_heap *const heap = tn_heap_default();
  const size_t size = TNI_MIB(32);
  void *const dirty = tn_heap_allocate(heap, size, 16, 0).pointer;
  if (!TEST(dirty != NULL))
    return;
  memset(dirty, 1, size);
  tn_heap_free_any(dirty);
  (void)tn_purge_all();
  const size_t resident = tni_os_resident();
  for (int i = 0; i < 20; i++) {
    unsigned char *const block =
        tn_heap_allocate(heap, size, 16, TN_HEAP_ZERO).pointer;
    if (!TEST(block != NULL))
      return;
    TEST(block[size / 3] == 0 && block[size - 1] == 0);
    block[5] = 1;
    tn_heap_free_any(block);
  }
  TEST(TNI_HAS_ASAN || TNI_HAS_TSAN ||
       tni_os_resident() < resident + TNI_MIB(1));
  (void)tn_purge_all();
}

/* The map tells the process's small blocks from all else. */
static void
map(void)
{
  static const size_t sizes[] = {16, 100, 1024, 5000, 70000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    void *const p =
        tn_heap_allocate(tn_heap_default(), sizes[i], 16, 0).pointer;
    const size_t offset = tni_address(p) - tni_address(tni_heap_map.base);
    if (offset < tni_load_relaxed(&tni_heap_map.size))
      TEST(tni_heap_map.base[offset >> TNI_HEAP_SLICE_LOG2] ==
           tn_heap_class(sizes[i]));
    tn_heap_free_any(p);
  }
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  void *const p = tn_heap_allocate(heap, 100, 16, 0).pointer;
  const size_t offset = tni_address(p) - tni_address(tni_heap_map.base);
  if (offset < tni_load_relaxed(&tni_heap_map.size))
    TEST(tni_heap_map.base[offset >> TNI_HEAP_SLICE_LOG2] == 0);
  tn_heap_destroy(heap);
}

/* A tick waits ten times as long as it took, and a quarter of a second. */
static void
budget(void)
{
  tni_heap_local *const local = tni_local_of(tn_heap_default());
  local->tick_ns = 0;
  const uint64_t before = tni_os_clock_ns();
  tni_purge_look(local);
  const uint64_t after = tni_os_clock_ns();
  TEST(local->tick_ns >= before + 250000000u);
  TEST(local->tick_ns <= after + 250000000u + 10 * (after - before));
}

/* What a heap counts follows each resize, also one that cannot be. */
static void
counting(void)
{
  const size_t size = TNI_MIB(1);
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.limit = TNI_MIB(8);
  tn_heap *const heap = tn_heap_create(&options, NULL);
  tn_heap_stats stats;
  void *blocks[3];
  for (int i = 0; i < 3; i++)
    blocks[i] = tn_heap_allocate(heap, size, 16, 0).pointer;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.pages == 3 * size && stats.large == 3 * size);
  for (int i = 0; i < 3; i++) {  // at most one of them has room behind it
    const size_t granted = tn_heap_resize(blocks[i], 4 * size, 4 * size);
    tn_heap_get_stats(heap, &stats);
    TEST(stats.pages == (granted ? 6 : 3) * size && stats.large == stats.pages);
    TEST(tn_heap_resize(blocks[i], size, size) == size);
    tn_heap_get_stats(heap, &stats);
    TEST(stats.pages == 3 * size && stats.large == stats.pages);
  }
  TEST(tn_heap_resize(blocks[1], TNI_KIB(300), TNI_KIB(300)) == TNI_KIB(300));
  tn_heap_get_stats(heap, &stats);
  TEST(stats.pages == 2 * size + TNI_KIB(300));
  TEST(tn_heap_resize(blocks[2], 9 * size, 9 * size) == 0);  // the limit
  tn_heap_get_stats(heap, &stats);
  TEST(stats.pages == 2 * size + TNI_KIB(300));
  tn_heap_destroy(heap);
}

int
main(void)
{
  growing();
  counting();
  zeros();
  map();
  budget();
  return test_done();
}
