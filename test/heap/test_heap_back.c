/* test_heap_back.c -- memory goes back, whatever the program does next
 *
 * What is resident is asked of the system.  Most ticks are not waited for: the
 * handle's clock is set back instead.
 *
 * Covers  [purge.budget]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>

#include <sched.h>

#include "heap/heap.h"
#include "heap/purge.h"
#include "os/os.h"
#include "test.h"

enum { BLOCKS = 100000, SIZE = 700 };

static unsigned char *blocks[BLOCKS];
static void *volatile light;

/* What malloc and free do, where those are ours; time passes. */
static void
use_lightly(void)
{
  tni_heap_local *const local = tni_local_of(tn_heap_default());
  for (int tick = 0; tick < 8; tick++) {
    local->tick_ns = 0;
    for (unsigned i = 0; i < 2 * TNI_PURGE_STEPS; i++) {
      light = tni_heap_try_take(100);
      if (!light)
        light = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
      if (!tni_heap_try_give(light))
        tn_heap_free_any(light);
    }
  }
}

/* The process's clock for dirty slices cannot be set back. */
static void
wait_for_tick(void)
{
  const uint64_t end = tni_os_clock_ns() + 260000000u;
  while (tni_os_clock_ns() < end)
    (void)sched_yield();
}

static void
fill(void)
{
  for (size_t i = 0; i < BLOCKS; i++) {
    blocks[i] = tn_heap_allocate(tn_heap_default(), SIZE, 16, 0).pointer;
    memset(blocks[i], 1, SIZE);
  }
}

static void
empty(size_t keep_every)
{
  for (size_t i = 0; i < BLOCKS; i++)
    if (blocks[i] && (keep_every == 0 || i % keep_every != 0)) {
      tn_heap_free_any(blocks[i]);
      blocks[i] = NULL;
    }
}

int
main(void)
{
  light = tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  tn_heap_free_any(light);
  const size_t before = tni_os_resident();
  fill();
  const size_t peak = tni_os_resident() - before;
  TEST(peak > (size_t)BLOCKS * SIZE);
  empty(100);
  use_lightly();
  const size_t sparse = tni_os_resident() - before;
  /* Each survivor holds a page or two of 4 KiB. */
  const size_t held = BLOCKS / 100 * (tni_os_get_config()->page_size + SIZE);
  if (!TEST(TNI_HAS_ASAN || TNI_HAS_TSAN || sparse < held + peak / 8))
    fprintf(stderr, "  %zu of %zu bytes, %zu held\n", sparse, peak, held);
  for (size_t i = 0; i < BLOCKS; i += 100)
    TEST(blocks[i][0] == 1 && blocks[i][SIZE - 1] == 1);
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.holes > peak / 2 || TNI_HAS_TSAN);
  empty(0);
  /* In the end: hardened builds keep what was freed for some ticks more. */
  for (int i = 0; i < 30 && tni_os_resident() - before >= peak / 20; i++) {
    wait_for_tick();
    use_lightly();
  }
  TEST(TNI_HAS_ASAN || TNI_HAS_TSAN || tni_os_resident() - before < peak / 20);

  /* What comes and goes within a tick is not given back each time. */
  fill();
  empty(0);
  tn_heap_get_stats(tn_heap_default(), &stats);
  const size_t purged = stats.purged;
  fill();
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.purged == purged);
  empty(0);
  TEST(tn_purge_all() > 0);
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.pages == 0 && stats.live == 0);
  return test_done();
}
