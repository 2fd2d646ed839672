/* test_heap_threads.c -- blocks and heaps that change threads
 *
 * Covers  [remote.touch] [remote.noted] [remote.idle] [local.owned]
 *         [heap.destroy]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>

#include <sched.h>

#include "heap/heap.h"
#include "os/os.h"
#include "test.h"

enum { THREADS = 4, SLOTS = 400, STEPS = 30000 };

/* Slots that all threads take blocks from and put blocks into. */
static _Atomic(unsigned char *) slots[SLOTS];

static size_t
size_in(const unsigned char *block)
{
  size_t size;
  memcpy(&size, block, sizeof size);
  return size;
}

static void
trade(void *argument)
{
  uint64_t random = (uint64_t)(uintptr_t)argument;
  for (int i = 0; i < STEPS; i++) {
    const uint64_t n = test_random(&random);
    const size_t size = 16 + n / SLOTS %
                                 (n >> 60 == 0  ? 200000
                                  : n >> 60 < 4 ? 5000
                                                : 300);
    unsigned char *const block =
        tn_heap_allocate(tn_heap_default(), size, 16, 0).pointer;
    if (!TEST(block != NULL))
      return;
    memcpy(block, &size, sizeof size);
    block[size - 1] = (unsigned char)size;
    unsigned char *const old = tni_swap_acq_rel(&slots[n % SLOTS], block);
    if (!old)
      continue;
    const size_t old_size = size_in(old);
    TEST(old_size <= tn_heap_granted(old));
    TEST(old[old_size - 1] == (unsigned char)old_size ||
         old_size <= sizeof old_size);
    if (n & (1 << 20))
      tn_heap_free_any(old);
    else
      tn_heap_free(tn_heap_default(), old, old_size, 16);
    if (n % 4096 == 0)
      tn_idle();
  }
}

static void
run(void (*fn)(void *), size_t count)
{
  tni_os_thread *threads[THREADS];
  for (size_t i = 0; i < count; i++)
    TEST(tni_os_thread_start(&threads[i], fn, (void *)(uintptr_t)(i + 1),
                             NULL) == TN_OK);
  for (size_t i = 0; i < count; i++)
    tni_os_thread_join(threads[i]);
}

static void
expect_empty(void)
{
  tn_purge_all();
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.live == 0);
  TEST(stats.pages == 0);
}

static void
trading(void)
{
  for (int round = 0; round < 2; round++)
    run(trade, THREADS);
  for (int i = 0; i < SLOTS; i++)
    tn_heap_free_any(tni_swap_acq_rel(&slots[i], NULL));
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.batches > 0 && stats.remote >= stats.batches);
  expect_empty();
}

/* Threads that are gone: who frees their blocks gives their pages back. */
static void *left[THREADS][64];

static void
leave_blocks(void *argument)
{
  const size_t me = (size_t)(uintptr_t)argument - 1;
  for (size_t i = 0; i < 64; i++)
    left[me][i] = tn_heap_allocate(tn_heap_default(), 1000, 16, 0).pointer;
}

static void
exited(void)
{
  for (int round = 0; round < 20; round++) {
    run(leave_blocks, THREADS);
    for (size_t t = 0; t < THREADS; t++)
      tn_heap_free_batch(left[t], 64);
  }
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.live == 0);
  /* Handles are adopted again; pages do not wait for that. */
  TEST(stats.handles <= 2 * THREADS + 1);
  TEST(stats.pages <= (THREADS + 1) * TNI_KIB(64));
  expect_empty();
}

/* One heap after the other, used by all threads at once, destroyed by one. */
static struct {
  _Atomic(tn_heap *) heap;
  _Atomic uint32_t arrived;
  _Atomic uint32_t round;
} shared;

enum { ROUNDS = 60 };

static void
meet(void)
{
  const uint32_t round = tni_load_acquire(&shared.round);
  if (tni_add_acq_rel(&shared.arrived, 1) + 1 == THREADS) {
    tni_store_relaxed(&shared.arrived, 0);
    tni_store_release(&shared.round, round + 1);
  }
  while (tni_load_acquire(&shared.round) == round)
    (void)sched_yield();
}

static void
share(void *argument)
{
  uint64_t random = (uint64_t)(uintptr_t)argument;
  const bool is_first = (uintptr_t)argument == 1;
  for (int round = 0; round < ROUNDS; round++) {
    if (is_first)
      tni_store_release(&shared.heap, tn_heap_create(NULL, NULL));
    meet();
    tn_heap *const heap = tni_load_acquire(&shared.heap);
    for (int i = 0; i < 200; i++) {
      const size_t size = 1 + test_random(&random) % 3000;
      unsigned char *const block = tn_heap_allocate(heap, size, 16, 0).pointer;
      if (!TEST(block != NULL))
        break;
      memset(block, round, size);
      if (i % 3 == 0)
        tn_heap_free(heap, block, size, 16);
      else  // some of them are freed by other threads, the rest by destroy
        tn_heap_free_any(
            tni_swap_acq_rel(&slots[i], i % 3 == 1 ? block : NULL));
    }
    meet();
    if (is_first)
      for (int i = 0; i < SLOTS; i++)
        tni_store_relaxed(&slots[i], NULL);
    meet();
    if (is_first)
      tn_heap_destroy(heap);
    meet();
  }
}

static void
sharing(void)
{
  run(share, THREADS);
  for (int i = 0; i < SLOTS; i++)
    tni_store_relaxed(&slots[i], NULL);
  expect_empty();
}

int
main(void)
{
  (void)test_seed();
  trading();
  exited();
  sharing();
  return test_done();
}
