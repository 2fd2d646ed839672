/* test_interrupted.c -- disciplines that signals, forks and ends of threads cut
 * into
 *
 * A signal handler uses the same shared pool as what it interrupts; a child is
 * forked while other threads create, fill and destroy everything; a thread ends
 * inside its scratch scopes.
 * Covers  [shared.live] and the locks of doc/design/locks.md over fork
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/event.h>
#include <tenure/handles.h>
#include <tenure/ring.h>
#include <tenure/scratch.h>
#include <tenure/shared.h>
#include <tenure/stack.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "../os/child.h"
#include "../provider/malloc_provider.h"

#ifdef __SANITIZE_ADDRESS__
enum {
  THREADS = 0,
  FORKS = 3
};  // its allocator's own locks are not taken over fork
#else
enum { THREADS = 3, FORKS = 20 };
#endif
enum { HELD = 8, INTERRUPTS = 300, ROUNDS = 30 };

/* ---- Signals ---------------------------------------------------------------- */

static tn_shared *shared;
static volatile sig_atomic_t interrupts, wrong;

/* Take some blocks, sign them, and see that nobody else wrote to them. */
static void
use_blocks(uint64_t sign)
{
  uint64_t *held[HELD];
  for (uint64_t i = 0; i < HELD; i++) {
    held[i] = tn_shared_alloc(shared);
    if (held[i] != NULL)
      held[i][0] = held[i][5] = sign + i;
  }
  for (uint64_t i = 0; i < HELD; i++) {
    if (held[i] == NULL || held[i][0] != sign + i || held[i][5] != sign + i)
      wrong = 1;
    if (held[i] != NULL)
      tn_shared_free(shared, held[i]);
  }
}

static void
interrupt(int number)
{
  (void)number;
  use_blocks(1000000 + (uint64_t)interrupts * HELD);
  interrupts++;
}

/* The pool has memory of a provider: growing its own would take a lock. */
static void
test_signals(tn_provider *memory)
{
  const tn_shared_options how = {.memory = memory, .most = 64, .shards = 1};
  TEST(tn_shared_create(&shared, 48, &how) == TN_OK);
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
  struct sigaction before;
  const struct itimerval fast = {{0, 100}, {0, 100}}, off = {{0, 0}, {0, 0}};
  TEST(sigaction(SIGALRM, &action, &before) == 0);
  TEST(setitimer(ITIMER_REAL, &fast, NULL) == 0);
  for (uint64_t i = 0; interrupts < INTERRUPTS; i++)
    use_blocks(i * HELD);
  TEST(setitimer(ITIMER_REAL, &off, NULL) == 0);
  TEST(sigaction(SIGALRM, &before, NULL) == 0);
  TEST(!wrong && tn_shared_get_stats(shared).live == 0);
  tn_shared_destroy(shared);
}

/* ---- Forks ------------------------------------------------------------------- */

/* A little of every discipline, from nothing to nothing. */
static void
use_all(void)
{
  tn_arena a;
  tn_handles h;
  tn_ring ring;
  tn_shared *pool;
  tn_stack stack;
  TN_SCRATCH(s, NULL);
  TEST_TEXT(tn_arena_printf(s, "%d", 42), "42");
  TEST(tn_arena_create(&a, &(tn_arena_options){.size = 1 << 20}) == TN_OK);
  memset(tn_arena_push(&a, 100000), 1, 100000);
  TEST(tn_handles_create(&h, 32, &(tn_handles_options){.most = 1000}) == TN_OK);
  TEST(tn_handles_alloc(&h, NULL).bits != 0);
  TEST(tn_ring_create(&ring, 4096, NULL) == TN_OK);
  TEST(tn_ring_push(&ring, 100) != NULL);
  TEST(tn_shared_create(&pool, 64, &(tn_shared_options){.most = 1000}) ==
       TN_OK);
  TEST(tn_shared_alloc(pool) != NULL);
  TEST(tn_stack_create(&stack, &(tn_stack_options){.size = 1 << 20}) == TN_OK);
  TEST(tn_frame_push(&stack, 16, "here") != NULL);
  tn_stack_fini(&stack);
  tn_shared_destroy(pool);
  tn_ring_destroy(&ring);
  tn_handles_destroy(&h);
  tn_arena_destroy(&a);
}

static atomic_bool is_over;

static void *
be_busy(void *unused)
{
  while (!atomic_load(&is_over))
    use_all();
  return unused;
}

static void
in_child(void)
{
  alarm(20);  // a lock that was held when we were forked
  for (int i = 0; i < 3; i++)
    use_all();
}

static void
test_forks(void)
{
  pthread_t thread[THREADS + 1];
  use_all();  // a fork under way misses the first use of all (os.h)
  for (int i = 0; i < THREADS; i++)
    TEST(pthread_create(&thread[i], NULL, be_busy, NULL) == 0);
  for (int i = 0; i < FORKS; i++) {
    const child_end end = child_run(in_child);
    TEST(end.signal == 0 && end.status == 0);
  }
  atomic_store(&is_over, true);
  for (int i = 0; i < THREADS; i++)
    pthread_join(thread[i], NULL);
}

/* ---- Ends of threads ----------------------------------------------------------- */

static atomic_int reserved;

static void
count_event(tn_listener *listener, const tn_event *event)
{
  (void)listener;
  if (event->kind == TN_EVENT_RESERVE)
    atomic_fetch_add(&reserved, 1);
  if (event->kind == TN_EVENT_RELEASE)
    atomic_fetch_sub(&reserved, 1);
}

/* pthread_exit runs no cleanup of C's: two scratch arenas are borrowed still. */
static void *
end_inside(void *unused)
{
  TN_SCRATCH(a, NULL);
  TN_SCRATCH(b, a);
  memset(tn_arena_push(a, 1000), 1, 1000);
  memset(tn_arena_push(b, 1000), 1, 1000);
  pthread_exit(unused);
}

static void
end_one(void)
{
  pthread_t thread;
  TEST(pthread_create(&thread, NULL, end_inside, NULL) == 0);
  pthread_join(thread, NULL);
}

/* Checked builds say so; others give back what the thread had. */
static void
test_thread_ends_inside(void)
{
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1) {
    const child_end end = child_run(end_one);
    TEST(end.signal == SIGABRT && strstr(end.text, "[scratch.order]") != NULL);
    return;
  }
  static tn_listener listener = {count_event};
  tn_listen(&listener);
  for (int i = 0; i < ROUNDS; i++) {
    end_one();
    TEST(atomic_load(&reserved) == 0);
  }
  tn_listen(NULL);
}

int
main(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  test_thread_ends_inside();
  test_signals(&memory.provider);
  test_forks();
  TEST(memory.live_bytes == 0);
  return test_done();
}
