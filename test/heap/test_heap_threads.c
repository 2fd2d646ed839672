/* test_heap_threads.c -- blocks and heaps that change threads
 *
 * Covers  [remote.touch] [remote.noted] [remote.idle] [local.owned]
 *         [heap.destroy] [local.busy]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap/heap.h"
#include "heap/remote.h"
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
  /* An adopted handle too: A1. */
  TEST(tni_load_relaxed(&tni_local_of(tn_heap_default())->state) ==
       TNI_LOCAL_OWNED);
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
  TEST(stats.pages == 0);
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

/* In a child of fork the handles of threads that it does not have are adopted,
 * and not that of the thread that it has. */
static _Atomic int forked;
static tni_heap_local *theirs;
static size_t handles;  // that the child may come to have

static void
free_and_wait(void *heap)
{
  void *blocks[3000];
  for (int i = 0; i < 3000; i++)
    blocks[i] = tn_heap_allocate(heap, 500, 16, 0).pointer;
  for (int i = 1; i < 3000; i++)
    tn_heap_free(heap, blocks[i], 500, 16);
  theirs = tni_local_of(heap);
  tni_store_release(&forked, 1);
  while (tni_load_acquire(&forked) != 2)
    sched_yield();
  tn_heap_free(heap, blocks[0], 500, 16);
}

static void
use_again(void *heap)
{
  void *blocks[500];
  for (int i = 0; i < 500; i++)
    blocks[i] = tn_heap_allocate(heap, 500, 16, 0).pointer;
  tn_heap_stats stats;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.handles == handles);
  for (int i = 0; i < 500; i++)
    tn_heap_free_any(blocks[i]);
}

static void
in_child(tn_heap *heap, void *mine)
{
  for (int round = 0; round < 2; round++) {
#if TNI_HAS_TSAN  // which lets no child start a thread
    use_again(heap);
#else
    tni_os_thread *thread = NULL;
    TEST(tni_os_thread_start(&thread, use_again, heap, NULL) == TN_OK);
    tni_os_thread_join(thread);
#endif
  }
  tn_heap_free_any(mine);
  const tni_heap_local *const local = tni_local_of(heap);
  TEST(tni_load_relaxed(&local->state) == TNI_LOCAL_OWNED || TNI_HAS_TSAN);
  TEST(local != heap->idle && (!heap->idle || local != heap->idle->idle_next));
  void *const again = tn_heap_allocate(heap, 64, 16, 0).pointer;
  TEST(again == mine || TN_HARDEN >= 2);
  tn_heap_free_any(again);
}

/* is_busy: the other thread's handle is left as it was. */
static void
forking(tn_heap *heap, bool is_busy)
{
  void *const mine = tn_heap_allocate(heap, 64, 16, 0).pointer;
  tni_os_thread *thread = NULL;
  tni_store_release(&forked, 0);
  TEST(tni_os_thread_start(&thread, free_and_wait, heap, NULL) == TN_OK);
  while (tni_load_acquire(&forked) != 1)
    sched_yield();
  const pid_t child = fork();
  if (child == 0) {
    handles = is_busy && !TNI_HAS_TSAN ? 3 : 2;
    tni_store_relaxed(&theirs->is_busy, is_busy);
    in_child(heap, mine);
    _exit(test_done());
  }
  int status = -1;
  TEST(waitpid(child, &status, 0) == child && status == 0);
  tni_store_release(&forked, 2);
  tni_os_thread_join(thread);
  tn_heap_free_any(mine);
}

static void
free_one(void *block)
{
  tn_heap_free_batch(&block, 1);
}

/* Who leaves a handle takes in once more what others freed to it: G2. */
static void
leaving(tn_heap *heap)
{
  void *const block = tn_heap_allocate(heap, 64, 16, 0).pointer;
  tni_heap_local *const local = tni_local_of(heap);
  tni_os_thread *thread = NULL;
  TEST(tni_os_thread_start(&thread, free_one, block, NULL) == TN_OK);
  tni_os_thread_join(thread);
  TEST(tni_load_relaxed(&local->noted) != NULL);
  tni_heap_lock();
  tni_remote_leave(local);
  TEST(tni_load_relaxed(&local->noted) == NULL);
  tni_store_relaxed(&local->state, TNI_LOCAL_OWNED);
  tni_heap_unlock();
}

int
main(void)
{
  (void)test_seed();
  for (int busy = 0; busy < 2; busy++) {
    tn_heap *const heap = tn_heap_create(NULL, NULL);
    if (TEST(heap != NULL)) {
      leaving(heap);
      forking(heap, busy != 0);
    }
    tn_heap_destroy(heap);
  }
  trading();
  exited();
  sharing();
  return test_done();
}
