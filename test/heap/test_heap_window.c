/* test_heap_window.c -- what malloc gives is counted, and sampled by bytes.
 * Covers src/heap/window.h: [window.count], and that the walk, the statistics
 * and tn_idle know of blocks in windows */
#include "heap/window.h"

#include <math.h>

#include "heap/heap.h"
#include "heap/purge.h"
#include "test.h"

enum { RATE = 4096, ROUNDS = 200000, KEPT = 1000 };

static unsigned window_due[TN_HEAP_WINDOWS];
static unsigned window_all[TN_HEAP_WINDOWS];

/* As malloc; what is due is counted and comes from the heap as well. */
static void *
take(size_t size)
{
  bool is_due = false;
  const unsigned size_class = tn_heap_class(size);
  void *block = tni_heap_try_take(size);
  window_all[size_class]++;
  if (block)
    return block;
  block = tni_window_take(tni_local_of(&tni_heap_default), size_class, &is_due);
  TEST(!block || !is_due);
  if (block && TNI_HEAP_CHECKED)
    tni_live_set_fast(block);
  if (is_due)
    window_due[size_class]++;
  return block ? block
               : tn_heap_allocate(&tni_heap_default, size, TN_ALIGN, 0).pointer;
}

static void
give(void *block)
{
  if (block && !tni_heap_try_give(block))
    tn_heap_free_any(block);
}

/* As many samples as there must be, by class; within six sigma. */
static void
check_samples(void)
{
  for (unsigned c = 1; c < TN_HEAP_WINDOWS; c++) {
    const double n = window_all[c];
    const double p = -expm1(-(double)tni_class_size(c) / RATE);
    TEST(n < 1000 || fabs(window_due[c] - n * p) < 6 * sqrt(n * p * (1 - p)));
    window_all[c] = window_due[c] = 0;
  }
}

static void
test_samples(void)
{
  static void *kept[KEPT];
  uint64_t random = test_seed();
  for (unsigned i = 0; i < ROUNDS; i++) {
    void **const at = &kept[test_random(&random) % KEPT];
    give(*at);
    *at = take(1 + test_random(&random) % TN_HEAP_TABLE_MAX);
    TEST(*at);
  }
  for (unsigned i = 0; i < KEPT; i++)
    give(kept[i]);
  check_samples();
}

/* A block that comes and goes: never more than a window's between two looks. */
static void
test_one(void)
{
  for (unsigned i = 0; i < ROUNDS; i++)
    give(take(64));
  TEST(window_due[4] > 0);
  check_samples();
}

/* Of 40 blocks 20 come back: stacks have few, so windows get more from pages. */
static void
test_growing(void)
{
  static void *kept[ROUNDS / 2 + 20];
  size_t count = 0;
  for (unsigned i = 0; i < ROUNDS / 40; i++) {
    for (unsigned k = 0; k < 40; k++)
      kept[count++] = take(64);
    for (unsigned k = 0; k < 20; k++)
      give(kept[--count]);
  }
  check_samples();
  while (count > 0)
    give(kept[--count]);
}

/* What was in windows and comes back unused is not allocated. */
static void
test_given_back(void)
{
  for (unsigned i = 0; i < ROUNDS / 10; i++) {
    give(take(64));
    if (i % 4 == 0)
      tn_idle();
  }
  check_samples();
}

static bool
count(void *argument, void *block, size_t size)
{
  (void)block;
  *(size_t *)argument += size;
  return true;
}

/* Neither the walk nor the statistics take what is in a window for live. */
static void
test_live(void)
{
  static void *kept[100];
  tn_heap_stats before;
  tn_heap_stats after;
  tn_idle();
  (void)tn_heap_here(&tni_heap_default);
  tn_heap_get_stats(&tni_heap_default, &before);
  for (unsigned i = 0; i < 100; i++)
    kept[i] = take(80);
  size_t walked = 0;
  (void)tn_heap_walk(&tni_heap_default, count, &walked);
  tn_heap_get_stats(&tni_heap_default, &after);
  TEST(after.live - before.live == 100 * 80);
  TEST(walked == after.live);
  for (unsigned i = 0; i < 100; i++)
    give(kept[i]);
  tn_idle();
  tn_heap_get_stats(&tni_heap_default, &after);
  TEST(after.live == before.live);
}

/* The library's own way finds windows in the table of classes as well. */
static void
test_allocate(void)
{
  for (size_t size = 1; size <= TN_HEAP_TABLE_MAX; size += 13) {
    tn_block blocks[40];
    for (unsigned i = 0; i < 40; i++) {
      if (i == 20)
        give(take(size));
      blocks[i] = tn_heap_allocate(&tni_heap_default, size, TN_ALIGN, 0);
      TEST(blocks[i].pointer && blocks[i].granted >= size &&
           blocks[i].granted == tn_heap_granted(blocks[i].pointer));
    }
    for (unsigned i = 0; i < 40; i++)
      give(blocks[i].pointer);
  }
}

static void
test_other(void)
{
  tni_heap_local *const local = tni_local_of(&tni_heap_default);
  unsigned due = 0;
  for (unsigned i = 0; i < ROUNDS; i++)
    due += tni_window_is_due(local, 2048);
  const double n = ROUNDS;
  const double p = -expm1(-2048.0 / RATE);
  TEST(fabs(due - n * p) < 6 * sqrt(n * p * (1 - p)));
}

/* A block from a window is as large as any other. */
static void
test_granted(void)
{
  for (size_t size = 1; size <= 1024; size++) {
    const tn_block block =
        tn_heap_allocate(&tni_heap_default, size, TN_ALIGN, 0);
    TEST(block.granted == tn_heap_good_size(size, TN_ALIGN));
    tn_heap_free_any(block.pointer);
  }
}

/* A handle to which much came back looks at the clock as if it had no windows,
 * every few blocks. */
static void
test_trapped(void)
{
  static void *blocks[60000];
  tni_heap_local *const local = tni_local_of(&tni_heap_default);
  const unsigned size_class = tn_heap_class(48);
  local->tick_ns = UINT64_MAX;  // nothing is given back meanwhile
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    blocks[i] = tn_heap_allocate(&tni_heap_default, 1000, 16, 0).pointer;
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    tn_heap_free_any(blocks[i]);
  for (unsigned i = 0; i < TNI_PURGE_STEPS; i++)
    tni_purge_step(local);
  TEST(local->is_trapped);
  local->window->wait[size_class] = 100000;
  const uint32_t slow = local->slow;
  const unsigned rounds = TNI_WINDOW_BLOCKS + 10 * (TNI_WINDOW_TRAPPED + 1);
  for (unsigned i = 0; i < rounds; i++) {
    void *block = tni_heap_try_take(48);
    if (!block && !TNI_HEAP_CHECKED)
      block = tni_window_try(local, size_class);
    give(block ? block : take(48));
  }
  TEST(local->slow - slow >= 10);
  TEST(TNI_HEAP_CHECKED || local->slow - slow < rounds / 4);  // but not each
  local->tick_ns = 0;
}

int
main(void)
{
  tni_window_start(RATE);
  test_granted();
  test_samples();
  test_one();
  test_growing();
  test_given_back();
  test_live();
  test_allocate();
  test_other();
  test_trapped();
  return test_done();
}
