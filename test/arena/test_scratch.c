/* test_scratch.c -- borrowed arenas: other than the conflicts, the same again
 * Covers [scratch.other] [scratch.same] [scratch.order]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/event.h>
#include <tenure/scratch.h>

#include <pthread.h>

#include "os/os.h"
#include "test.h"

enum { THREADS = 4, ROUNDS = 2000 };

/* Numbers to words: the result in out, each step's temporaries in scratch. */
static char *
spell(tn_arena *out, unsigned n)
{
  static const char *const digit[] = {"zero", "one", "two",   "three", "four",
                                      "five", "six", "seven", "eight", "nine"};
  if (n < 10)
    return tn_arena_text(out, digit[n]);
  TN_SCRATCH(s, out);
  TEST(s != out);
  const char *const head = spell(s, n / 10), *const tail = spell(s, n % 10);
  return tn_arena_printf(out, "%s-%s", head, tail);
}

static void
test_conflicts(void)
{
  TN_SCRATCH(a, NULL);
  TN_SCRATCH(b, a);
  TN_SCRATCH(c, a, NULL, b);
  TN_SCRATCH(d, NULL);
  TEST(a != b && b != c && a != c && d == a);
  memset(tn_arena_push(a, 1000), 1, 1000);
  memset(tn_arena_push(b, 1000), 2, 1000);
  unsigned char *const p = tn_arena_push(c, 1000);
  memset(p, 3, 1000);
  TN_SCRATCH(e, a, b);
  TEST(e == c);
  memset(tn_arena_push(e, 1000), 4, 1000);
  TEST(p[999] == 3);
  TEST_TEXT(spell(a, 90210), "nine-zero-two-one-zero");
  TEST_TEXT(spell(e, 7), "seven");
}

static void
test_same_address(void)
{
  void *first = NULL;
  for (int i = 0; i < 100; i++) {
    TN_SCRATCH(s, NULL);
    void *const p = tn_arena_push(s, (size_t)i * 100);
    first = first ? first : p;
    TEST(p == first);
  }
}

/* As many as may be: each other than all before. */
static void
test_many(void)
{
  static tn_scratch borrowed[TN_SCRATCH_MOST];
  tn_arena *conflict[TN_SCRATCH_MOST];
  for (size_t i = 0; i < TN_SCRATCH_MOST; i++) {
    borrowed[i] = tn_scratch_begin(conflict, i);
    conflict[i] = borrowed[i].arena;
    TEST(conflict[i] != NULL);
    for (size_t j = 0; j < i; j++)
      TEST(conflict[j] != conflict[i]);
  }
  if (TN_DEBUG == 0 && TN_HARDEN == 0)
    TEST(tn_scratch_begin(conflict, TN_SCRATCH_MOST).arena == NULL);
  for (size_t i = TN_SCRATCH_MOST; i-- > 0;)
    tn_scratch_end(borrowed[i]);
  const tn_scratch again = tn_scratch_begin(conflict, 5);
  TEST(again.arena == conflict[5]);
  tn_scratch_end(again);
}

/* A spike is given back when nobody borrows. */
static void
test_spike(void)
{
  tn_arena *which = NULL;
  for (int i = 0; i < 200; i++) {
    TN_SCRATCH(s, NULL);
    which = s;
    TN_SCRATCH(t, NULL);
    const size_t size = i == 0 ? (size_t)64 << 20 : 1000;
    memset(tn_arena_push(t, size), 1, size);
  }
  TEST(tn_arena_get_stats(which).held <= (size_t)3 << 20);
  TEST(tn_arena_get_stats(which).used == 0);
}

/* Reservations that live. */
static int reserved;

static void
count_event(tn_listener *listener, const tn_event *event)
{
  (void)listener;
  if (event->kind == TN_EVENT_RESERVE)
    __atomic_add_fetch(&reserved, 1, __ATOMIC_RELAXED);
  if (event->kind == TN_EVENT_RELEASE)
    __atomic_sub_fetch(&reserved, 1, __ATOMIC_RELAXED);
}

static tn_arena *of_thread[THREADS];

static void *
work(void *argument)
{
  tn_arena **const mine = argument;
  for (int i = 0; i < ROUNDS; i++) {
    TN_SCRATCH(s, NULL);
    *mine = s;
    char *const text = spell(s, 123456);
    TEST_TEXT(text, "one-two-three-four-five-six");
  }
  return NULL;
}

static void
test_threads(void)
{
  pthread_t thread[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    TEST(pthread_create(&thread[i], NULL, work, &of_thread[i]) == 0);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(thread[i], NULL);
}

static void *
borrow_once(void *argument)
{
  TN_SCRATCH(s, NULL);
  TEST(reserved == 1);
  *(tn_arena **)argument = s;
  memset(tn_arena_push(s, 100), 1, 100);
  return NULL;
}

/* What a thread had is given back when it ends. */
static void
test_thread_ends(void)
{
  static tn_listener listener = {count_event};
  tn_listen(&listener);
  for (int i = 0; i < 10; i++) {
    pthread_t thread;
    tn_arena *mine = NULL;
    TEST(pthread_create(&thread, NULL, borrow_once, &mine) == 0);
    pthread_join(thread, NULL);
    TEST(mine != NULL && reserved == 0);
  }
  tn_listen(NULL);
}

int
main(void)
{
  test_conflicts();
  test_same_address();
  test_many();
  test_spike();
  test_threads();
  test_thread_ends();
  tn_scratch_fini();
  TN_SCRATCH(s, NULL);
  TEST_TEXT(spell(s, 12), "one-two");
  return test_done();
}
