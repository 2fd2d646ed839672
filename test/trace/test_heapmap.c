/* test_heapmap.c -- how full slices are, against an array of bytes
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"
#include "trace/heapmap.h"

enum { BLOCKS = 500, RANGE = 1 << 20, BASE = 0x40000000 };

static unsigned char used[RANGE];

/* Every row says what the array says, and there is no byte beyond. */
static void
compare(tni_heapmap *map, uint32_t column)
{
  tni_heapmap_column(map, column);
  const uint64_t slice = (uint64_t)1 << map->shift;
  uint64_t all = 0, seen = 0;
  for (size_t i = 0; i < RANGE; i++)
    all += used[i];
  for (size_t r = 0; r < map->count; r++) {
    uint64_t bytes = 0;
    const uint64_t from = map->rows[r].slice * slice - BASE;
    for (uint64_t i = from; i < from + slice && i < RANGE; i++)
      bytes += used[i];
    TEST(map->rows[r].bytes == bytes);
    TEST(map->rows[r].fill[column] == (bytes * 255 + slice - 1) / slice);
    seen += bytes;
  }
  TEST(seen == all);
}

static void
test_random_blocks(uint64_t seed)
{
  tni_heapmap map;
  tni_heapmap_init(&map);
  static uint64_t at[BLOCKS], size[BLOCKS];
  for (uint32_t i = 0; i < BLOCKS; i++) {
    at[i] = (uint64_t)i * (RANGE / BLOCKS);
    size[i] = 1 + test_random(&seed) % (RANGE / BLOCKS);
    tni_heapmap_change(&map, 3, BASE + at[i], size[i], true);
    memset(used + at[i], 1, size[i]);
  }
  compare(&map, 0);
  for (uint32_t i = 0; i < BLOCKS;
       i += 1 + (uint32_t)(test_random(&seed) % 3)) {
    tni_heapmap_change(&map, 3, BASE + at[i], size[i], false);
    memset(used + at[i], 0, size[i]);
  }
  compare(&map, 1);
  tni_heapmap_sort(&map);
  for (size_t r = 1; r < map.count; r++)
    TEST(map.rows[r - 1].slice < map.rows[r].slice);
  tni_heapmap_fini(&map);
}

/* More memory than there are rows for: slices grow, and none is lost. */
/* Two processes have the same addresses. */
static void
test_processes(void)
{
  tni_heapmap map;
  tni_heapmap_init(&map);
  for (uint32_t i = 0; i < 100; i++)
    tni_heapmap_change(&map, i % 3, BASE + (uint64_t)4096 * (i / 3),
                       100 + i % 3, true);
  TEST(map.count == 100);
  for (size_t r = 0; r < map.count; r++)
    TEST(map.rows[r].bytes == 100 + map.rows[r].process);
  tni_heapmap_fini(&map);
}

static void
test_widening(void)
{
  tni_heapmap map;
  tni_heapmap_init(&map);
  for (uint64_t i = 0; i < 3 * TNI_HEAPMAP_ROWS; i++) {
    tni_heapmap_change(&map, 0, i << 12, 4096, true);
    if (i == TNI_HEAPMAP_ROWS / 2)
      tni_heapmap_column(&map, 0);
  }
  tni_heapmap_change(&map, 0, (uint64_t)1 << 40, (uint64_t)1 << 34, true);
  tni_heapmap_change(&map, 0, UINT64_MAX - 5, 10, true);  // nonsense: ignored
  TEST(map.count <= TNI_HEAPMAP_ROWS && map.shift > 12);
  tni_heapmap_column(&map, 1);
  uint64_t bytes = 0;
  for (size_t r = 0; r < map.count; r++)
    bytes += map.rows[r].bytes;
  TEST(bytes == 3 * (uint64_t)TNI_HEAPMAP_ROWS * 4096 + ((uint64_t)1 << 34));
  tni_heapmap_shrink(&map, 5);
  TEST(map.count <= 5 && map.count > 1);
  tni_heapmap_fini(&map);
}

int
main(void)
{
  const uint64_t seed = test_seed();
  test_random_blocks(seed);
  test_processes();
  test_widening();
  return test_done();
}
