/* test_buddy.c -- blocks against a plain map of units, exact bounds, providers
 *
 * Covers  [buddy.tile] [buddy.merge] [buddy.steps]; test/death/ has
 *         [buddy.least] [buddy.foreign] [buddy.twice]
 */
#include <tenure/buddy.h>

#include "../provider/conform.h"

#define UNITS ((uint32_t)1 << 10)
#define LEAST ((uint32_t)64)

static _Alignas(UNITS *LEAST) unsigned char memory[4 * UNITS * LEAST];
static unsigned char table[UNITS * 16];

/* The smallest power of two of units that holds size bytes. */
static uint64_t
units_of(uint64_t size, uint64_t least)
{
  uint64_t units = 1;
  while (units * least < size)
    units *= 2;
  return units;
}

/* ---- The bound, reached and never passed --------------------------------- */

/* From one free block of 2^10 units: the first unit takes 10 splits, and its
 * return 10 joins; nothing ever takes more. */
static void
test_steps(void)
{
  tn_buddy buddy;
  TEST(tn_buddy_over_range(&buddy, table, 0, UNITS * LEAST, LEAST) == TN_OK);
  for (unsigned order = 0; order <= 10; order++) {
    uint64_t address, before = buddy.steps;
    TEST(tn_buddy_take(&buddy, LEAST << order, &address) && address == 0);
    TEST(buddy.steps - before == 1 + 10 - order);
    before = buddy.steps;
    tn_buddy_give(&buddy, address);
    TEST(buddy.steps - before == 1 + 10 - order);
    TEST(tn_buddy_get_stats(&buddy).largest_free == UNITS * LEAST);
  }
}

/* The worst that fragmentation can do: one unit in each 2^k, and no block of
 * 2^k units is to be had though all the rest is free. */
static void
test_fragmentation(void)
{
  static uint64_t address[UNITS];
  for (unsigned order = 1; order <= 10; order++) {
    tn_buddy buddy;
    TEST(tn_buddy_over_range(&buddy, table, 0, UNITS * LEAST, LEAST) == TN_OK);
    for (uint32_t i = 0; i < UNITS; i++)
      TEST(tn_buddy_take(&buddy, 1, &address[i]));
    uint64_t none;
    TEST(!tn_buddy_take(&buddy, 1, &none));
    for (uint32_t i = 0; i < UNITS; i++)
      if (address[i] / LEAST % (1u << order) != 0)
        tn_buddy_give(&buddy, address[i]);
    const tn_buddy_stats stats = tn_buddy_get_stats(&buddy);
    TEST(stats.live_blocks == UNITS >> order);
    TEST(stats.free == (uint64_t)LEAST * (UNITS - (UNITS >> order)));
    TEST(stats.largest_free == (uint64_t)LEAST << (order - 1));
    TEST(stats.free_blocks == (UNITS >> order) * order);
    TEST(!tn_buddy_take(&buddy, (LEAST << order) - LEAST / 2, &none));
    TEST(tn_buddy_take(&buddy, LEAST << (order - 1), &none));
  }
}

/* ---- The model: which unit belongs to which block ------------------------ */

typedef struct model {
  tn_buddy buddy;
  uint64_t start, units, least;
  uint64_t owner[UNITS];  // number of the block that has this unit, or 0
  uint64_t address[UNITS], size[UNITS];  // live blocks
  size_t count;
  uint64_t number[UNITS], next_number;
  uint64_t random, most_steps;
} model;

/* No block of that many units could be had, whoever looks. */
static bool
model_has_room(const model *m, uint64_t units)
{
  const uint64_t first = m->start / m->least;
  for (uint64_t u = -first & (units - 1); u + units <= m->units; u += units) {
    uint64_t i = 0;
    while (i < units && m->owner[u + i] == 0)
      i++;
    if (i == units)
      return true;
  }
  return false;
}

static void
model_set(model *m, size_t i, uint64_t number)
{
  const uint64_t unit = (m->address[i] - m->start) / m->least;
  for (uint64_t u = 0; u < units_of(m->size[i], m->least); u++) {
    TEST((m->owner[unit + u] == 0) != (number == 0));
    m->owner[unit + u] = number;
  }
}

static void
model_take(model *m)
{
  const unsigned bits = (unsigned)(test_random(&m->random) % 9);
  const uint64_t size = 1 + test_random(&m->random) % (m->least << bits);
  const uint64_t units = units_of(size, m->least);
  const bool has_room = model_has_room(m, units);
  const uint64_t before = m->buddy.steps;
  uint64_t address = 77;
  const bool got = tn_buddy_take(&m->buddy, size, &address);
  TEST(got == has_room);  // it finds whatever there is: [buddy.merge]
  TEST(m->buddy.steps - before <= m->most_steps);
  if (!got) {
    TEST(m->buddy.steps == before && address == 77);
    return;
  }
  TEST(address >= m->start && address % (units * m->least) == 0);
  TEST(address + units * m->least <= m->start + m->units * m->least);
  m->address[m->count] = address;
  m->size[m->count] = size;
  m->number[m->count] = ++m->next_number;
  model_set(m, m->count, m->next_number);
  m->count++;
}

static void
model_give(model *m, size_t i)
{
  const uint64_t before = m->buddy.steps;
  model_set(m, i, 0);
  tn_buddy_give(&m->buddy, m->address[i]);
  TEST(m->buddy.steps - before <= m->most_steps);
  m->count--;
  m->address[i] = m->address[m->count];
  m->size[i] = m->size[m->count];
  m->number[i] = m->number[m->count];
}

static void
count_block(void *argument, uint64_t address, uint64_t size)
{
  model *const m = argument;
  for (size_t i = 0; i < m->count; i++)
    if (m->address[i] == address) {
      TEST(size == units_of(m->size[i], m->least) * m->least);
      m->next_number++;
    }
}

static void
check_model(uint64_t start, uint64_t units, uint64_t least, uint64_t seed)
{
  static model m;
  m = (model){.start = start, .units = units, .least = least, .random = seed};
  if (!TEST(tn_buddy_over_range(&m.buddy, table, start, units * least, least) ==
            TN_OK))
    return;
  const tn_buddy_stats all = tn_buddy_get_stats(&m.buddy);
  TEST(all.free == units * least);
  while (UINT64_C(1) << m.most_steps <= units)
    m.most_steps++;
  for (int step = 0; step < 3000; step++) {
    if (m.count < UNITS && test_random(&m.random) % 100 < 55)
      model_take(&m);
    else if (m.count > 0)
      model_give(&m, test_random(&m.random) % m.count);
  }
  const uint64_t before = m.next_number;
  tn_buddy_walk(&m.buddy, count_block, &m);
  TEST(m.next_number - before == m.count);
  TEST(tn_buddy_get_stats(&m.buddy).live_blocks == m.count);
  while (m.count > 0)
    model_give(&m, m.count - 1);
  const tn_buddy_stats now = tn_buddy_get_stats(&m.buddy);
  TEST(now.free_blocks == all.free_blocks && now.free == all.free &&
       now.largest_free == all.largest_free);
}

/* ---- In a buffer --------------------------------------------------------- */

static void
check_provider(size_t offset, size_t size, size_t least)
{
  tn_buddy buddy;
  if (!TEST(tn_buddy_over(&buddy, memory + offset, size, least) == TN_OK))
    return;
  tn_buddy_provider offered = tn_buddy_provide(&buddy);
  conform_provider(&(conform_case){.provider = &offered.provider,
                                   .capacity = size,
                                   .max_align_log2 = 12,
                                   .steps = 5000});
  TEST(tn_buddy_get_stats(&buddy).live_blocks == 0);
  tn_buddy_leave(&buddy);
  memset(memory + offset, 0, size);
}

static void
test_resize(void)
{
  tn_buddy buddy;
  TEST(tn_buddy_over(&buddy, memory, sizeof memory, 64) == TN_OK);
  unsigned char *const a = tn_buddy_alloc(&buddy, 100);
  memset(a, 1, 128);
  const uint64_t steps = buddy.steps;
  TEST(tn_buddy_resize(&buddy, a, 128) == 128 && buddy.steps == steps);
  TEST(tn_buddy_resize(&buddy, a, 20) == 64);
  unsigned char *const b = tn_buddy_alloc(&buddy, 64);
  TEST(b == a + 64);
  TEST(tn_buddy_resize(&buddy, a, 65) == 0);  // b is there
  tn_buddy_free(&buddy, b);
  TEST(tn_buddy_resize(&buddy, a, 1000) == 1024 || (uintptr_t)a % 1024 != 0);
  TEST(tn_buddy_resize(&buddy, a, SIZE_MAX) == 0);
  TEST(a[0] == 1 && a[63] == 1);
  tn_buddy_free(&buddy, a);
  TEST(tn_buddy_get_stats(&buddy).live_blocks == 0);
  tn_buddy_leave(&buddy);
}

static void
test_limits(void)
{
  tn_buddy buddy = {.units = 77};
  TEST(tn_buddy_over(&buddy, memory, 64, 64) == TN_ENOMEM);
  TEST(tn_buddy_over(&buddy, memory, 0, 16) == TN_ENOMEM);
  TEST(tn_buddy_over_range(&buddy, table, 1, 126, 64) == TN_ENOMEM);
  TEST(tn_buddy_over_range(&buddy, table, UINT64_MAX - 70, 200, 64) ==
       TN_ERANGE);
  TEST(tn_buddy_over_range(&buddy, table, 0, UINT64_MAX, 64) == TN_ERANGE);
  TEST(tn_buddy_table_size(UINT64_MAX, 16) == 0 &&
       tn_buddy_table_size(64, 0) == 0);
  TEST(buddy.units == 77);
#if TN_DEBUG == 0 && TN_HARDEN == 0
  TEST(tn_buddy_over(&buddy, memory, 4096, 48) == TN_EINVAL);
  TEST(tn_buddy_over(&buddy, memory, 4096, 8) == TN_EINVAL);
  TEST(tn_buddy_over_range(&buddy, table, 0, 64, 3) == TN_EINVAL);
  /* What is no live block is left alone. */
  TEST(tn_buddy_over(&buddy, memory, 4096, 64) == TN_OK);
  unsigned char *const a = tn_buddy_alloc(&buddy, 200);
  tn_buddy_free(&buddy, a + 64);
  tn_buddy_free(&buddy, a + 1);
  tn_buddy_free(&buddy, table);
  TEST(tn_buddy_get_stats(&buddy).live_blocks == 1);
  tn_buddy_free(&buddy, a);
  tn_buddy_free(&buddy, a);
  TEST(tn_buddy_get_stats(&buddy).live_blocks == 0);
  tn_buddy_leave(&buddy);
#endif
}

int
main(void)
{
  const uint64_t seed = test_seed();
  test_steps();
  test_fragmentation();
  check_model(0, UNITS, 64, seed);
  check_model(0, 1000, 1, seed + 1);
  check_model(0x7000000040, 777, 64, seed + 2);
  check_model(4096 * 3, 1, 4096, seed + 3);
  check_provider(0, sizeof memory, 64);
  check_provider(13, 100001, 16);
  check_provider(64, 1 << 17, 0);
  test_resize();
  test_limits();
  return test_done();
}
