/* test_scope.c -- cleanups run once, the newest first, whichever way one leaves
 * Covers [scope.lifo] [scope.once] [scope.runs] [scope.fd_open] [scope.noalloc]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/scope.h>
#include <tenure/source.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <unistd.h>

#include "scope/scope.h"

#include "../provider/malloc_provider.h"
#include "test.h"

/* ---- What has run -------------------------------------------------------- */

static int number[4096];
static int ran[4096];
static size_t ran_count;

static void
note(void *argument)
{
  ran[ran_count++] = *(int *)argument;
}

static void
expect(const int *wanted, size_t count)
{
  TEST(ran_count == count && memcmp(ran, wanted, count * sizeof *wanted) == 0);
  ran_count = 0;
}
#define EXPECT(...)                                                            \
  expect((const int[]){__VA_ARGS__}, sizeof(int[]){__VA_ARGS__} / sizeof(int))

/* ---- Order ---------------------------------------------------------------- */

static void
test_order(tn_provider *provider)
{
  tn_scope scope;
  tn_scope_init(&scope, provider);
  TEST(tn_scope_defer(&scope, note, &number[1]) != NULL);
  const tn_scope_mark outer = tn_scope_enter(&scope);
  TEST(tn_scope_defer(&scope, note, &number[2]) != NULL);
  const tn_scope_mark inner = tn_scope_enter(&scope);
  tn_cleanup own;
  tn_scope_attach(&scope, &own, note, &number[3]);
  TEST(tn_scope_defer(&scope, note, &number[4]) != NULL);
  tn_scope_leave(&scope, inner);
  EXPECT(4, 3);
  for (const tn_cleanup *c = scope.spare; c; c = c->below)
    TEST(c != &own);  // the caller's storage stays the caller's
  TEST(tn_scope_defer(&scope, note, &number[5]) != NULL);
  tn_scope_leave(&scope, outer);
  EXPECT(5, 2);
  const tn_scope_mark empty = tn_scope_enter(&scope);
  tn_scope_leave(&scope, empty);
  TEST(ran_count == 0 && tni_scope_is_valid(&scope));
  tn_scope_fini(&scope);
  EXPECT(1);
  tn_scope_fini(&scope);
  TEST(ran_count == 0);
}

static void
test_cancel(tn_provider *provider)
{
  tn_scope scope;
  tn_scope_init(&scope, provider);
  tn_cleanup *c[5];
  for (int i = 0; i < 5; i++)
    c[i] = tn_scope_defer(&scope, note, &number[i]);
  tn_scope_cancel(&scope, c[4]);
  tn_scope_cancel(&scope, c[2]);
  tn_scope_cancel(&scope, c[0]);
  TEST(tni_scope_is_valid(&scope));
  tn_scope_fini(&scope);
  EXPECT(3, 1);
}

/* A cleanup that registers another: it runs too, before what is below. */
static tn_scope *current;

static void
note_and_defer(void *argument)
{
  note(argument);
  TEST(tn_scope_defer(current, note, &number[8]) != NULL);
}

static void
test_defer_in_cleanup(tn_provider *provider)
{
  tn_scope scope;
  tn_scope_init(&scope, provider);
  current = &scope;
  TEST(tn_scope_defer(&scope, note, &number[1]) != NULL);
  TEST(tn_scope_defer(&scope, note_and_defer, &number[2]) != NULL);
  tn_scope_fini(&scope);
  EXPECT(2, 8, 1);
}

static void
test_memory(void)
{
  tn_scope scope;
  tn_fixed fixed;
  _Alignas(16) unsigned char bytes[3 * sizeof(tn_cleanup) + 32];
  tn_fixed_init(&fixed, bytes, sizeof bytes);
  tn_scope_init(&scope, &fixed.provider);
  TEST(tn_scope_reserve(&scope, 2) == TN_OK);
  const unsigned char *const cursor = fixed.cursor;
  TEST(tn_scope_reserve(&scope, 2) == TN_OK && fixed.cursor == cursor);
  for (int i = 0; i < 2; i++)
    TEST(tn_scope_defer(&scope, note, &number[i]) != NULL);
  TEST(fixed.cursor == cursor);
  TEST(tn_scope_reserve(&scope, 9) == TN_ENOMEM);
  while (tn_scope_defer(&scope, note, &number[7]))
    ;
  TEST(tni_scope_is_valid(&scope));
  const tn_cleanup *const last = scope.last;
  TEST(tn_scope_own_fd(&scope, 2) == NULL && scope.last == last);
  tn_scope_fini(&scope);
  TEST(ran_count >= 2 && ran[ran_count - 1] == 0);
  ran_count = 0;

  tn_scope_init(&scope, NULL);
  TEST(tn_scope_defer(&scope, note, &number[1]) == NULL);
  TEST(tn_scope_reserve(&scope, 1) == TN_ENOMEM);
  TEST(tn_scope_reserve(&scope, 0) == TN_OK);
  tn_scope_fini(&scope);
}

/* ---- Jumps ------------------------------------------------------------------ */

static jmp_buf home;

static void
dig(tn_scope *scope, int depth)
{
  const tn_scope_mark mark = tn_scope_enter(scope);
  TEST(tn_scope_defer(scope, note, &number[depth]) != NULL);
  if (depth == 5)
    longjmp(home, 1);
  TN_NOALLOC
  {
    dig(scope, depth + 1);
  }
  tn_scope_leave(scope, mark);
}

static void
jump(void *argument)
{
  note(argument);
  longjmp(home, 1);
}

static void
test_unwind(tn_provider *provider)
{
  tn_scope scope;
  tn_scope_init(&scope, provider);
  TEST(tn_scope_reserve(&scope, 8) == TN_OK);
  TEST(tn_scope_defer(&scope, note, &number[1]) != NULL);
  const tn_scope_mark mark = tn_scope_enter(&scope);
  if (setjmp(home) == 0)
    dig(&scope, 2);
  else
    tn_scope_unwind(&scope, mark);
  EXPECT(5, 4, 3, 2);
  TEST(tni_noalloc_depth == 0);

  /* Left in the middle of its cleanups: none of them runs twice. */
  const tn_scope_mark again = tn_scope_enter(&scope);
  TEST(tn_scope_defer(&scope, note, &number[2]) != NULL);
  TEST(tn_scope_defer(&scope, jump, &number[3]) != NULL);
  TEST(tn_scope_defer(&scope, note, &number[4]) != NULL);
  if (setjmp(home) == 0)
    tn_scope_leave(&scope, again);
  else
    tn_scope_unwind(&scope, again);
  EXPECT(4, 3, 2);
  tn_scope_fini(&scope);
  EXPECT(1);
}

/* ---- A model ------------------------------------------------------------------ */

/* The stack of live registrations and marks, as plain arrays. */
static void
test_model(tn_provider *provider)
{
  enum { STEPS = 20000, MOST = 200 };
  uint64_t random = test_seed();
  static int live[MOST];
  static tn_cleanup *record[MOST];
  tn_scope_mark mark[MOST];
  size_t mark_at[MOST], count = 0, marks = 0;
  tn_scope scope;
  tn_scope_init(&scope, provider);
  for (int step = 0; step < STEPS; step++) {
    const uint64_t choice = test_random(&random) % 16;
    if (choice < 8 && count < MOST) {
      record[count] = tn_scope_defer(&scope, note, &number[step % 4096]);
      live[count++] = step % 4096;
    } else if (choice < 11 && marks < MOST) {
      mark_at[marks] = count;
      mark[marks++] = tn_scope_enter(&scope);
    } else if (choice < 13 && count > 0) {
      size_t i = test_random(&random) % count;
      tn_scope_cancel(&scope, record[i]);
      for (size_t m = 0; m < marks; m++)
        mark_at[m] -= mark_at[m] > i;
      for (count--; i < count; i++) {
        live[i] = live[i + 1];
        record[i] = record[i + 1];
      }
    } else if (choice < 16 && marks > 0) {
      const bool far = choice == 15;
      marks = far ? test_random(&random) % marks : marks - 1;
      (far ? tn_scope_unwind : tn_scope_leave)(&scope, mark[marks]);
      bool same = ran_count == count - mark_at[marks];
      for (size_t i = 0; same && i < ran_count; i++)
        same = ran[i] == live[count - 1 - i];
      TEST(same);
      count = mark_at[marks];
      ran_count = 0;
    }
  }
  TEST(tni_scope_is_valid(&scope));
  tn_scope_fini(&scope);
  TEST(ran_count == count);
  ran_count = 0;
}

/* ---- Descriptors --------------------------------------------------------------- */

static bool
is_open(int fd)
{
  return fcntl(fd, F_GETFD) != -1;
}

static void
note_open(void *fd)
{
  ran[ran_count++] = is_open(*(int *)fd);
}

/* A function between two descriptors sees one open and the other closed. */
static void
test_own_fd(tn_provider *provider)
{
  tn_scope scope;
  tn_scope_init(&scope, provider);
  int fd[3];
  for (int i = 0; i < 3; i++)
    fd[i] = dup(2);
  TEST(tn_scope_own_fd(&scope, fd[0]) != NULL);
  TEST(tn_scope_defer(&scope, note_open, &fd[0]) != NULL);
  TEST(tn_scope_defer(&scope, note_open, &fd[1]) != NULL);
  TEST(tn_scope_own_fd(&scope, fd[1]) != NULL);
  tn_cleanup *const kept = tn_scope_own_fd(&scope, fd[2]);
  tn_scope_cancel(&scope, kept);
  tn_scope_fini(&scope);
  EXPECT(0, 1);
  TEST(!is_open(fd[0]) && !is_open(fd[1]) && is_open(fd[2]));
  close(fd[2]);

  /* A set ends at a mark. */
  fd[0] = dup(2);
  fd[1] = dup(2);
  TEST(tn_scope_own_fd(&scope, fd[0]) != NULL);
  TN_WITH_CLEANUPS(&scope) TEST(tn_scope_own_fd(&scope, fd[1]) != NULL);
  TEST(is_open(fd[0]) && !is_open(fd[1]));
  tn_scope_fini(&scope);
  TEST(!is_open(fd[0]));
}

/* Random sets with holes: all of them are closed, and nothing else. */
static void
test_batches(void)
{
  enum { LOW = 40, MOST = 300 };
  uint64_t random = test_seed();
  static int set[MOST];
  static bool given[MOST];
  TEST(tn_fd_close_batch(NULL, 0) == 0);
  for (int round = 0; round < 30; round++) {
    size_t count = 0, runs = 0;
    const uint64_t gap = 1 + test_random(&random) % 8;
    for (int i = 0; i < MOST; i++) {
      TEST(dup2(2, LOW + i) == LOW + i);
      given[i] = test_random(&random) % gap != 1 || gap == 1;
      runs += given[i] && (i == 0 || !given[i - 1]);
      if (given[i])
        set[count++] = LOW + i;
    }
    for (size_t i = count; i > 1; i--) {  // in any order
      const size_t j = test_random(&random) % i;
      const int one = set[i - 1];
      set[i - 1] = set[j];
      set[j] = one;
    }
    TEST(tn_fd_close_batch(set, count) == runs);
    for (int i = 0; i < MOST; i++)
      TEST(is_open(LOW + i) != given[i]);
  }
  int rest[MOST];
  for (int i = 0; i < MOST; i++)
    rest[i] = is_open(LOW + i) ? LOW + i : dup2(2, LOW + i);
  TEST(tn_fd_close_batch(rest, MOST) == 1);
}

/* ---- Replacing -------------------------------------------------------------------- */

static struct {
  int slot;
  bool is_over;
  unsigned long lost;
} shared;

static void *
look(void *unused)
{
  (void)unused;
  while (!__atomic_load_n(&shared.is_over, __ATOMIC_ACQUIRE))
    shared.lost += !is_open(shared.slot);
  return NULL;
}

static void
test_replace(void)
{
  const char *const given = getenv("TEST_REPLACES");
  const long replaces = given ? atol(given) : 10000;
  pthread_t reader;
  shared.slot = dup(2);
  TEST(pthread_create(&reader, NULL, look, NULL) == 0);
  for (long i = 0; i < replaces; i++) {
    if (!TEST(tn_fd_replace(shared.slot, dup(2)) == TN_OK))
      break;
  }
  __atomic_store_n(&shared.is_over, true, __ATOMIC_RELEASE);
  pthread_join(reader, NULL);
  TEST(shared.lost == 0);
  TEST(tn_fd_close_batch(&shared.slot, 1) == 1 && !is_open(shared.slot));
}

/* ---- Local forms ------------------------------------------------------------------- */

TN_CLEANUP(close_file, fclose, FILE *)
TN_CLEANUP(unlock, pthread_mutex_unlock, pthread_mutex_t *)

static int
leave_by(int how)
{
  for (int i = 0; i < 2; i++) {
    TN_DEFER(note, &number[1]);
    TN_DEFER(note, &number[2]);
    if (how == 0)
      return 1;
    if (how == 1)
      break;
    if (how == 2)
      goto out;
    if (how == 3)
      continue;
  }
out:
  return 0;
}

static int
leave_block(tn_scope *scope, int how)
{
  for (int i = 0; i < 1; i++) {
    TN_WITH_CLEANUPS(scope)
    {
      TEST(tn_scope_defer(scope, note, &number[how]) != NULL);
      if (how == 0)
        return 0;
      if (how == 1)
        break;
      TN_WITH_CLEANUPS(scope)
      {
        TEST(tn_scope_defer(scope, note, &number[9]) != NULL);
      }
      TEST(ran_count == 1);
    }
  }
  return how;
}

static void
test_local(tn_provider *provider)
{
  for (int how = 0; how < 3; how++) {
    leave_by(how);
    EXPECT(2, 1);
  }
  leave_by(3);
  EXPECT(2, 1, 2, 1);

  tn_scope scope;
  tn_scope_init(&scope, provider);
  leave_block(&scope, 0);
  EXPECT(0);
  leave_block(&scope, 1);
  EXPECT(1);
  leave_block(&scope, 2);
  EXPECT(9, 2);
  TEST(scope.innermost == 0);

  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  FILE *const file = fopen("/dev/null", "r");
  const int fd = fileno(file);
  TN_WITH_CLEANUPS(&scope)
  {
    pthread_mutex_lock(&mutex);
    TEST(tn_scope_defer(&scope, unlock, &mutex) != NULL);
    TEST(tn_scope_defer(&scope, close_file, file) != NULL);
    TEST(pthread_mutex_trylock(&mutex) != 0 && is_open(fd));
  }
  TEST(!is_open(fd) && pthread_mutex_trylock(&mutex) == 0);
  pthread_mutex_unlock(&mutex);
  tn_scope_fini(&scope);
}

static int
leave_noalloc(int how)
{
  for (int i = 0; i < 1; i++) {
    TN_NOALLOC
    {
      TEST(TN_DEBUG == 0 || tni_noalloc_depth == 1);
      TN_NOALLOC TEST(TN_DEBUG == 0 || tni_noalloc_depth == 2);
      if (how == 0)
        return 0;
      if (how == 1)
        break;
    }
  }
  return how;
}

int
main(void)
{
  for (int i = 0; i < 4096; i++)
    number[i] = i;
  malloc_provider memory;
  malloc_provider_init(&memory);
  tn_provider *const provider = &memory.provider;
  test_order(provider);
  test_cancel(provider);
  test_defer_in_cleanup(provider);
  test_memory();
  test_unwind(provider);
  test_model(provider);
  test_own_fd(provider);
  test_batches();
  test_replace();
  test_local(provider);
  for (int how = 0; how < 3; how++) {
    leave_noalloc(how);
    TEST(tni_noalloc_depth == 0);
  }
  TEST(memory.live_bytes == 0 && memory.wrong_sizes == 0);
  return test_done();
}
