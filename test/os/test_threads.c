/* test_threads.c -- threads, stacks, thread-local values, locks, fork
 * Tags: [thread.record] [os.rank] [os.fork]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "child.h"
#include "os/os_linux.h"
#include "own_signals.h"

static size_t
count_mappings(void)
{
  FILE *const maps = fopen("/proc/self/maps", "r");
  size_t lines = 0;
  for (int c; (c = getc(maps)) != EOF;)
    lines += c == '\n';
  fclose(maps);
  return lines;
}

/* ---- Starting ----------------------------------------------------------------- */

typedef struct seen {
  char name[16];
  unsigned id;
  bool is_on_stack;
  size_t stack_size;
  size_t alternate_size;
  bool has_guard, has_alternate_guard;
} seen;

static void
look_around(void *argument)
{
  seen *const s = argument;
  void *low = NULL, *high = NULL;
  stack_t alternate = {0};
  char byte;
  TEST(pthread_getname_np(pthread_self(), s->name, sizeof s->name) == 0);
  TEST(tni_os_stack_bounds(&low, &high) == TN_OK);
  TEST(sigaltstack(NULL, &alternate) == 0);
  s->id = tni_os_thread_id();
  s->is_on_stack = (char *)&byte >= (char *)low && (char *)&byte < (char *)high;
  s->stack_size = (size_t)((char *)high - (char *)low);
  s->alternate_size = alternate.ss_size;
  s->has_guard = tni_os_guarded_read(&byte, (char *)low - 1, 1) == TN_EFAULT &&
                 tni_os_guarded_read(&byte, low, 1) == TN_OK;
  s->has_alternate_guard =
      tni_os_guarded_read(&byte, (char *)alternate.ss_sp - 1, 1) == TN_EFAULT;
}

static void
test_start(void)
{
  tni_os_thread *thread[2];
  seen s[2] = {0};
  const tni_os_thread_options options = {
      .name = "a name of more than fifteen bytes", .stack_size = TNI_MIB(2)};
  const unsigned id = tni_os_thread_id();
  TEST(tni_os_thread_start(&thread[0], look_around, &s[0], &options) == TN_OK);
  TEST(tni_os_thread_start(&thread[1], look_around, &s[1], NULL) == TN_OK);
  tni_os_thread_join(thread[0]);
  tni_os_thread_join(thread[1]);
  TEST_TEXT(s[0].name, "a name of more ");
  TEST(s[0].stack_size == TNI_MIB(2) && s[1].stack_size >= TNI_KIB(64));
  TEST(s[0].id != s[1].id && s[0].id != id && s[1].id != id && id == 1);
  for (int i = 0; i < 2; i++) {
    TEST(s[i].is_on_stack && s[i].has_guard && s[i].has_alternate_guard);
    TEST(s[i].alternate_size >= TNI_KIB(64));
  }
}

static void
test_start_refused(void)
{
  tni_os_thread *thread = NULL;
  tni_os_thread_options options = {.stack_size = SIZE_MAX - 100};
  TEST(tni_os_thread_start(&thread, look_around, NULL, &options) == TN_ENOMEM);
  options.stack_size = 1;  // smaller than any thread needs
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  TEST(tni_os_thread_start(&thread, look_around, NULL, &options) == TN_EINVAL);
#endif
  options.stack_size = tni_round_up(tni_os_budget(), TNI_MIB(1)) + TNI_MIB(1);
  options.commit_stack = true;
  TEST(tni_os_thread_start(&thread, look_around, NULL, &options) == TN_ENOMEM);
  TEST(thread == NULL);
}

static void
do_nothing(void *argument)
{
  (void)argument;
}

/* 200 threads, eight at a time, leave no mapping and no record behind. */
static void
test_no_leak(void)
{
  tni_os_thread *thread[8], *first[8];
  size_t before = 0, again = 0;
  for (int round = 0; round < 25; round++) {
    for (size_t i = 0; i < 8; i++)
      TEST(tni_os_thread_start(&thread[i], do_nothing, NULL, NULL) == TN_OK);
    for (size_t i = 0; i < 8; i++)
      tni_os_thread_join(thread[i]);
    if (round == 4)
      before = count_mappings();
    if (round == 0)
      memcpy(first, thread, sizeof first);
  }
  for (size_t i = 0; i < 64; i++)
    again += first[i / 8] == thread[i % 8];
  TEST(again == 8);                      // the same records
  TEST(count_mappings() < before + 40);  // a sanitizer's own come and go
  TEST(!tni_os_linux_stack_owner(1));
}

/* ---- Stacks -------------------------------------------------------------------- */

static int (*volatile descend_more)(size_t size);

/* Descends size bytes, a page a call that no compiler turns into a loop. */
__attribute__((noinline, no_sanitize("address", "thread"))) static int
descend(size_t size)
{
  volatile char space[3072];
  space[size % sizeof space] = (char)size;
  return size < 4096 ? 0
                     : descend_more(size - 3072) + space[size % sizeof space];
}

static size_t
faults_of_thread(void)
{
  struct rusage usage;
  TEST(getrusage(RUSAGE_THREAD, &usage) == 0);
  return (size_t)usage.ru_minflt;
}

static void
descend_committed(void *argument)
{
  (void)descend(4096);
  (void)faults_of_thread();
  const size_t before = faults_of_thread();
  (void)descend(TNI_KIB(900));
  *(size_t *)argument = faults_of_thread() - before;
}

static void
test_committed_stack(void)
{
  tni_os_thread *thread;
  size_t committed = SIZE_MAX, lazy = SIZE_MAX;
  tni_os_thread_options options = {.stack_size = TNI_MIB(2),
                                   .commit_stack = true};
  TEST(tni_os_thread_start(&thread, descend_committed, &committed, &options) ==
       TN_OK);
  tni_os_thread_join(thread);
  options.commit_stack = false;
  TEST(tni_os_thread_start(&thread, descend_committed, &lazy, &options) ==
       TN_OK);
  tni_os_thread_join(thread);
  TEST(committed == 0);
  TEST(lazy > 100);
}

static void
prefault_main(void)
{
  void *low = NULL, *high = NULL;
  TEST(tni_os_stack_bounds(&low, &high) == TN_OK);
  TEST(tni_os_prefault_stack((size_t)((char *)high - (char *)low)) ==
       TN_ERANGE);
  TEST(tni_os_prefault_stack(TNI_MIB(1)) == TN_OK);
  (void)descend(4096);
  (void)tni_os_page_faults();
  const size_t before = tni_os_page_faults();
  (void)descend(TNI_KIB(900));
  const size_t after = tni_os_page_faults();
  TEST(after == before);
}

/* The bounds of the main stack are those that the kernel enforces. */
static void
main_bounds(void)
{
  const struct rlimit limit = {TNI_MIB(2), TNI_MIB(8)};
  TEST(setrlimit(RLIMIT_STACK, &limit) == 0);
  void *low = NULL, *high = NULL;
  TEST(tni_os_stack_bounds(&low, &high) == TN_OK);
  TEST((char *)high - (char *)low == TNI_MIB(2));
  TEST((char *)&low >= (char *)low && (char *)&low < (char *)high);
  TEST((char *)environ[0] < (char *)high);
}

static void *
foreign_thread(void *argument)
{
  seen *const s = argument;
  stack_t alternate = {0};
  char text[200];
  TEST(pthread_setname_np(pthread_self(), "foreign") == 0);
  /* It knows its own frames before anybody knows it. */
  TEST(tni_os_describe_stack(&s, text, sizeof text) > 0);
  TEST(!tni_os_linux_stack_owner(tni_address(&s)));
  TEST(tni_os_alternate_stack() == TN_OK);
  TEST(tni_os_alternate_stack() == TN_OK);
  TEST(sigaltstack(NULL, &alternate) == 0);
  TEST(alternate.ss_size >= TNI_KIB(64));
  TEST(tni_os_describe_stack(&s, text, sizeof text) > 0);
  TEST(strstr(text, "\"foreign\"") != NULL);
  look_around(s);
  return NULL;
}

static void
test_foreign_thread(void)
{
  pthread_t thread;
  seen s = {0};
  size_t before = 0;
  for (int i = 0; i < 10; i++) {
    TEST(pthread_create(&thread, NULL, foreign_thread, &s) == 0);
    TEST(pthread_join(thread, NULL) == 0);
    TEST(s.is_on_stack && s.has_guard);
    if (i == 1)
      before = count_mappings();
  }
  TEST(count_mappings() <= before);  // the alternate stacks are gone
}

/* A host's own alternate stack is left alone. */
static void
host_alternate(void)
{
  static char host[65536];
  const stack_t stack = {.ss_sp = host, .ss_size = sizeof host};
  stack_t now;
  TEST(sigaltstack(&stack, NULL) == 0);
  TEST(tni_os_alternate_stack() == TN_OK);
  TEST(sigaltstack(NULL, &now) == 0 && now.ss_sp == host);
}

/* ---- Thread-local values --------------------------------------------------------- */

static tni_os_tls key;
static _Atomic int ended;

static void
on_end(void *value)
{
  stack_t alternate = {0};
  TEST(sigaltstack(NULL, &alternate) == 0);
  /* Ours is freed later than this runs. */
  TEST(!(alternate.ss_flags & SS_DISABLE));
  (void)tni_add_relaxed(&ended, *(int *)value);
}

static void
store_value(void *argument)
{
  TEST(tni_os_tls_load(key) == NULL);
  TEST(tni_os_tls_store(key, argument) == TN_OK);
  TEST(tni_os_tls_load(key) == argument);
}

static void *
store_foreign(void *argument)
{
  TEST(tni_os_alternate_stack() == TN_OK);
  store_value(argument);
  return NULL;
}

static void
test_tls(void)
{
  int mine = 1000, value[3] = {1, 20, 300};
  tni_os_thread *thread[2];
  pthread_t foreign;
  TEST(tni_os_tls_create(&key, on_end) == TN_OK);
  TEST(tni_os_tls_store(key, &mine) == TN_OK);
  for (size_t i = 0; i < 2; i++)
    TEST(tni_os_thread_start(&thread[i], store_value, &value[i], NULL) ==
         TN_OK);
  TEST(pthread_create(&foreign, NULL, store_foreign, &value[2]) == 0);
  for (size_t i = 0; i < 2; i++)
    tni_os_thread_join(thread[i]);
  TEST(pthread_join(foreign, NULL) == 0);
  TEST(tni_load_relaxed(&ended) == 321);
  TEST(tni_os_tls_load(key) == &mine);
}

static void
exhaust_keys(void)
{
  tni_os_tls more;
  tn_status status;
  do
    status = tni_os_tls_create(&more, NULL);
  while (status == TN_OK);
  TEST(status == TN_EAGAIN);
}

/* ---- Locks and fork ---------------------------------------------------------------- */

static tni_os_lock lock = {.rank = TNI_RANK_META};
static volatile unsigned long guarded;

static void
count_up(void *argument)
{
  (void)argument;
  for (int i = 0; i < 20000; i++) {
    tni_os_lock_acquire(&lock);
    guarded++;
    tni_os_lock_release(&lock);
  }
}

static void
test_lock(void)
{
  tni_os_thread *thread[4];
  for (size_t i = 0; i < 4; i++)
    TEST(tni_os_thread_start(&thread[i], count_up, NULL, NULL) == TN_OK);
  for (size_t i = 0; i < 4; i++)
    tni_os_thread_join(thread[i]);
  TEST(guarded == 80000);
  TEST(tni_os_lock_try(&lock));
  TEST(!tni_os_lock_try(&lock));
  tni_os_lock_release(&lock);
  TEST(tni_load_relaxed(&lock.word) == 0);
}

static void
wait_for_lock(void *argument)
{
  struct rusage usage;
  tni_os_lock_acquire(&lock);
  tni_os_lock_release(&lock);
  TEST(getrusage(RUSAGE_THREAD, &usage) == 0);
  *(long *)argument = usage.ru_nvcsw;
}

/* Who waits sleeps, instead of asking again and again. */
static void
test_lock_sleeps(void)
{
  long sleeps = 0;
  tni_os_thread *thread;
  tni_os_lock_acquire(&lock);
  TEST(tni_os_thread_start(&thread, wait_for_lock, &sleeps, NULL) == TN_OK);
  while (tni_load_relaxed(&lock.word) != 2)  // until it waits
    usleep(1000);
  usleep(20000);
  tni_os_lock_release(&lock);
  tni_os_thread_join(thread);
  TEST(sleeps >= 1);
}

static _Atomic bool is_over;

static void
hold_often(void *argument)
{
  (void)argument;
  while (!tni_load_relaxed(&is_over)) {
    tni_os_lock_acquire(&lock);
    guarded++;
    for (volatile int i = 0; i < 100; i++)
      ;
    guarded--;
    tni_os_lock_release(&lock);
  }
}

static void
take_lock(void)
{
  alarm(20);  // a deadlock ends
  tni_os_lock_acquire(&lock);
  TEST(guarded == 80000);  // fork waited until its holder was done
  tni_os_lock_release(&lock);
}

static void
fork_under_lock(void)
{
  tni_os_thread *thread;
  tni_os_fork_lock(&lock);
  tni_os_fork_lock(&lock);
  TEST(tni_os_thread_start(&thread, hold_often, NULL, NULL) == TN_OK);
  for (int i = 0; i < 100; i++)
    TEST(child_passes(take_lock));
  tni_store_relaxed(&is_over, true);
  tni_os_thread_join(thread);
}

static void
wrong_order(void)
{
  static tni_os_lock inner = {.rank = TNI_RANK_OS_FAULTS};
  tni_os_lock_acquire(&inner);
  tni_os_lock_acquire(&lock);
}

static void
test_errno(void)
{
  tni_os_thread *thread;
  errno = 4711;
  TEST(tni_os_thread_start(&thread, do_nothing, NULL, NULL) == TN_OK);
  tni_os_thread_join(thread);
  TEST(tni_os_alternate_stack() == TN_OK);
  TEST(errno == 4711);
}

int
main(void)
{
  descend_more = descend;
  test_start();
  test_start_refused();
  test_no_leak();
  test_committed_stack();
  TEST(child_passes(prefault_main));
  TEST(child_passes(main_bounds));
  test_foreign_thread();
  TEST(child_passes(host_alternate));
  test_tls();
  TEST(child_passes(exhaust_keys));
  test_lock();
  test_lock_sleeps();
  TEST(child_passes(fork_under_lock));
#if TN_DEBUG >= 2
  TEST(child_dies(wrong_order, SIGABRT, "[os.rank]"));
#else
  TEST(child_passes(wrong_order));
#endif
  test_errno();
  return test_done();
}
