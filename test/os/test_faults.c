/* test_faults.c -- the one owner of SIGSEGV and SIGBUS, case by case
 *
 * Each case of doc/design/os.md, "Faults", in a child of its own.
 * Tags: [fault.sorted] [fault.read]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/fault.h>

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "child.h"
#include "own_signals.h"

static size_t page;

/* ---- Ranges ----------------------------------------------------------------- */

static bool
grow_page(void *argument, void *address, bool is_write)
{
  unsigned char *const base = argument;
  const size_t offset = (size_t)((unsigned char *)address - base);
  (void)is_write;
  return tni_os_commit_lazy(base + tni_round_down(offset, page), page) == TN_OK;
}

static bool
refuse(void *argument, void *address, bool is_write)
{
  static const char text[] = "guard touched\n";
  (void)argument, (void)address, (void)is_write;
  tni_os_write_error(text, sizeof text - 1);
  return false;
}

static unsigned char *
watch(size_t pages, tni_os_fault_fn *on_fault)
{
  void *p = NULL;
  TEST(tni_os_reserve(pages * page, 1, &p) == TN_OK);
  const tni_os_fault_watch it = {p, pages * page, on_fault, p};
  TEST(tni_os_fault_add(&it) == TN_OK);
  return p;
}

/* One byte, touched so that no compiler can drop it. */
static void
touch(unsigned char *p)
{
  *(volatile unsigned char *)p = 1;
}

static void
case_growth(void)
{
  unsigned char *const p = watch(16, grow_page);
  for (size_t i = 16; i-- > 0;)
    touch(p + i * page + 7);
  for (size_t i = 0; i < 16; i++)
    TEST(p[i * page + 7] == 1 && p[i * page] == 0);
  const tni_os_fault_counts counts = tni_os_fault_get_counts();
  TEST(counts.seen == 16 && counts.handled == 16 && counts.passed_on == 0);
}

static bool
note_write(void *argument, void *address, bool is_write)
{
  *(int *)argument = is_write;
  return tni_os_protect((unsigned char *)address, page, TNI_OS_READ_WRITE) ==
         TN_OK;
}

static void
case_read_or_write(void)
{
  for (int write = 0; write < 2; write++) {
    int seen = -1;
    void *p = NULL;
    TEST(tni_os_reserve(page, 1, &p) == TN_OK);
    const tni_os_fault_watch it = {p, page, note_write, &seen};
    TEST(tni_os_fault_add(&it) == TN_OK);
    if (write)
      touch(p);
    else
      TEST(*(volatile unsigned char *)p == 0);
#ifdef __x86_64__
    TEST(seen == write);
#else
    TEST(seen == 1);
#endif
  }
}

static void
case_many_ranges(void)
{
  enum { MANY = 1000 };
  static unsigned char *range[MANY];
  for (size_t i = 0; i < MANY; i++)
    range[i] = watch(2, grow_page);
  for (size_t i = 0; i < MANY; i += 3) {
    tni_os_fault_remove(range[i]);
    TEST(tni_os_commit(range[i], page) == TN_OK);
  }
  const size_t before = tni_os_fault_get_counts().handled;
  for (size_t i = 0; i < MANY; i++)
    touch(range[i] + i % page);
  TEST(tni_os_fault_get_counts().handled - before == MANY - (MANY + 2) / 3);
  /* Every range that is watched, and no other, refuses a second one. */
  for (size_t i = 0; i < MANY; i++) {
    const tni_os_fault_watch again = {range[i] + page, page, grow_page, NULL};
    TEST(tni_os_fault_add(&again) == (i % 3 ? TN_EBUSY : TN_OK));
  }
}

/* Touches on one thread while another changes the list all the time. */
static _Atomic bool is_over;

static void
churn(void *argument)
{
  unsigned char *const p = argument;
  while (!tni_load_relaxed(&is_over))
    for (size_t i = 0; i < 200; i++) {
      const tni_os_fault_watch it = {p + i * page, page, refuse, NULL};
      TEST(tni_os_fault_add(&it) == TN_OK);
      if (i % 2)
        tni_os_fault_remove(p + (i - 1) * page);
      if (i >= 3 && i % 2)
        tni_os_fault_remove(p + (i - 2) * page);
      if (i == 199)
        tni_os_fault_remove(p + i * page);
    }
}

static void
case_concurrent_change(void)
{
  void *p = NULL;
  tni_os_thread *thread = NULL;
  TEST(tni_os_reserve(200 * page, 1, &p) == TN_OK);
  unsigned char *const mine = watch(64, grow_page);
  TEST(tni_os_thread_start(&thread, churn, p, NULL) == TN_OK);
  for (int round = 0; round < 100; round++) {
    for (size_t i = 0; i < 64; i++)
      touch(mine + i * page);
    TEST(tni_os_decommit(mine, 64 * page) == TN_OK);
  }
  tni_store_relaxed(&is_over, true);
  tni_os_thread_join(thread);
  TEST(tni_os_fault_get_counts().handled == 6400);
}

static void
case_guard(void)
{
  touch(watch(1, refuse));
}

static void
case_removed(void)
{
  unsigned char *const p = watch(1, grow_page);
  tni_os_fault_remove(p);
  touch(p);
}

/* ---- Whoever was there before ------------------------------------------------- */

static volatile sig_atomic_t host_calls, host_blocks_usr1;
static sigjmp_buf host_way_out;

static void
host_leave(int signal)
{
  (void)signal;
  host_calls++;
  siglongjmp(host_way_out, 1);
}

static void
host_leave_info(int signal, siginfo_t *info, void *context)
{
  sigset_t mask;
  TEST(signal == SIGSEGV && info->si_addr && context);
  TEST(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  host_blocks_usr1 = sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGSEGV);
  host_calls++;
  siglongjmp(host_way_out, 1);
}

static void
host_count(int signal)
{
  (void)signal;
  host_calls++;
}

static void
install(int signal, void (*plain)(int), void (*full)(int, siginfo_t *, void *),
        int flags)
{
  struct sigaction action = {.sa_flags = flags | (full ? SA_SIGINFO : 0)};
  if (full)
    action.sa_sigaction = full;
  else
    action.sa_handler = plain;
  sigaddset(&action.sa_mask, SIGUSR1);
  TEST(sigaction(signal, &action, NULL) == 0);
}

/* A page that nobody watches. */
static unsigned char *
foreign_page(void)
{
  void *p = NULL;
  TEST(tni_os_reserve(page, 1, &p) == TN_OK);
  return p;
}

static void
case_previous_plain(void)
{
  install(SIGSEGV, host_leave, NULL, 0);
  unsigned char *const p = watch(1, grow_page);
  for (int i = 0; i < 3; i++)
    if (sigsetjmp(host_way_out, 1) == 0)
      touch(foreign_page());
  touch(p);
  const tni_os_fault_counts counts = tni_os_fault_get_counts();
  TEST(host_calls == 3 && counts.passed_on == 3 && counts.handled == 1);
}

static void
case_previous_info(void)
{
  install(SIGSEGV, NULL, host_leave_info, 0);
  (void)watch(1, grow_page);
  if (sigsetjmp(host_way_out, 1) == 0)
    touch(foreign_page());
  TEST(host_calls == 1 && host_blocks_usr1);
  sigset_t mask;
  TEST(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  TEST(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGSEGV));
}

static void
host_return_once(int signal)
{
  sigset_t mask;
  (void)signal;
  TEST(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  TEST(!sigismember(&mask, SIGSEGV));
  host_calls++;
}

static void
case_previous_nodefer(void)
{
  install(SIGSEGV, host_return_once, NULL, SA_NODEFER);
  (void)watch(1, grow_page);
  raise(SIGSEGV);
  TEST(host_calls == 1);
}

static void
case_previous_resethand(void)
{
  install(SIGSEGV, host_count, NULL, (int)SA_RESETHAND);
  (void)watch(1, grow_page);
  raise(SIGSEGV);
  TEST(host_calls == 1);
  static const char text[] = "once\n";
  tni_os_write_error(text, sizeof text - 1);
  touch(foreign_page());
}

static void
case_previous_ignore(void)
{
  signal(SIGSEGV, SIG_IGN);
  unsigned char *const p = watch(1, grow_page);
  raise(SIGSEGV);  // sent: ignored
  touch(p);
  touch(foreign_page());  // an access: the kernel kills all the same
}

static void
case_default_access(void)
{
  unsigned char *const p = watch(1, grow_page);
  touch(p);
  touch(foreign_page());
}

static void
case_default_bus(void)
{
  (void)watch(1, grow_page);
  char name[] = "/tmp/tenure-test-XXXXXX";
  const int file = mkstemp(name);
  unlink(name);
  TEST(ftruncate(file, (off_t)page) == 0);
  unsigned char *const p =
      mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  TEST(p != MAP_FAILED && ftruncate(file, 0) == 0);
  touch(p);
}

/* ---- Signals that are sent ------------------------------------------------------ */

static void
case_sent_kill(void)
{
  (void)watch(1, grow_page);
  kill(getpid(), SIGSEGV);
  pause();
}

static void
case_sent_queue(void)
{
  install(SIGSEGV, host_count, NULL, 0);
  (void)watch(1, grow_page);
  TEST(sigqueue(getpid(), SIGSEGV, (union sigval){0}) == 0);
  TEST(host_calls == 1);
}

/* The address that a sender puts into the record is not believed. */
static void
case_sent_forged(void)
{
  install(SIGSEGV, host_count, NULL, 0);
  unsigned char *const p = watch(1, grow_page);
  siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_QUEUE};
  info.si_addr = p;
  TEST(!tn_fault_offer(SIGSEGV, &info, NULL));
  TEST(tni_os_fault_get_counts().handled == 0);
}

/* ---- The host's own handlers ------------------------------------------------------ */

static void
host_offer(int signal, siginfo_t *info, void *context)
{
  host_calls++;
  if (!tn_fault_offer(signal, info, context))
    siglongjmp(host_way_out, 1);
}

static void
case_host_later(void)
{
  unsigned char *const p = watch(1, grow_page);
  install(SIGSEGV, NULL, host_offer, 0);
  touch(p);
  TEST(host_calls == 1 && p[0] == 1);
  if (sigsetjmp(host_way_out, 1) == 0)
    touch(foreign_page());
  TEST(host_calls == 2);
  TEST(tni_os_fault_get_counts().seen == 0);  // ours did not run
  TEST(tni_os_fault_get_counts().handled == 1);
}

static unsigned char *nested_page;

static void
host_touch(int signal)
{
  (void)signal;
  touch(nested_page);
}

/* A touch inside the handler of another signal grows as anywhere else. */
static void
case_nested_in_handler(void)
{
  nested_page = watch(1, grow_page);
  install(SIGUSR2, host_touch, NULL, 0);
  raise(SIGUSR2);
  TEST(nested_page[0] == 1);
}

static bool
fault_again(void *argument, void *address, bool is_write)
{
  (void)argument, (void)address, (void)is_write;
  touch(nested_page);
  return true;
}

/* A fault inside our handler is the end, at once. */
static void
case_nested_in_ours(void)
{
  nested_page = watch(1, grow_page);
  touch(watch(1, fault_again));
}

static void
case_blocked(void)
{
  unsigned char *const p = watch(1, grow_page);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGSEGV);
  TEST(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
  touch(p);
}

/* ---- Processes, threads, system calls ---------------------------------------------- */

static void
grow_in_child(void)
{
  touch(nested_page);
  TEST(nested_page[0] == 1);
  touch(watch(1, grow_page));  // its lock was not held by anybody
}

static void
case_fork(void)
{
  nested_page = watch(2, grow_page);
  TEST(child_passes(grow_in_child));
  TEST(child_dies(case_guard, SIGSEGV, "guard touched"));
  touch(nested_page);
}

static void *
touch_on_thread(void *argument)
{
  touch(argument);
  return NULL;
}

static void
case_thread_without_alternate(void)
{
  pthread_t thread;
  unsigned char *const p = watch(1, grow_page);
  TEST(pthread_create(&thread, NULL, touch_on_thread, p) == 0);
  TEST(pthread_join(thread, NULL) == 0 && p[0] == 1);
}

static void
case_system_call(void)
{
  unsigned char *const p = watch(1, grow_page);
  const int zero = open("/dev/zero", O_RDONLY);
  TEST(read(zero, p, 16) == -1 && errno == EFAULT);
  TEST(tni_os_fault_get_counts().seen == 0);
  touch(p);
  TEST(read(zero, p, 16) == 16);
}

static bool
leave_errno_alone(void *argument, void *address, bool is_write)
{
  errno = EDOM;
  return grow_page(argument, address, is_write);
}

static void
case_errno(void)
{
  unsigned char *const p = watch(1, leave_errno_alone);
  errno = 4711;
  touch(p);
  TEST(errno == 4711);
}

static void
case_not_installed(void)
{
  void *p = NULL;
  TEST(tni_os_reserve(page, 1, &p) == TN_OK && tni_os_commit(p, page) == TN_OK);
  struct sigaction now;
  TEST(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  TEST(sigaction(SIGBUS, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  (void)watch(1, grow_page);
  TEST(sigaction(SIGBUS, NULL, &now) == 0 && now.sa_handler != SIG_DFL);
}

/* ---- Stack overflow ------------------------------------------------------------------ */

__attribute__((visibility("default"), noinline)) int overflow_here(int depth);

int
overflow_here(int depth)
{
  volatile char space[1024];
  space[0] = (char)depth;
  return depth < 0 ? 0 : overflow_here(depth + 1) + space[0];
}

static void
overflow_on_thread(void *argument)
{
  (void)argument;
  overflow_here(0);
}

static void
case_overflow_main(void)
{
  const struct rlimit limit = {TNI_MIB(1), TNI_MIB(8)};
  TEST(setrlimit(RLIMIT_STACK, &limit) == 0);
  TEST(tn_fault_watch_stack() == TN_OK);
  overflow_here(0);
}

static void
case_overflow_thread(void)
{
  tni_os_thread *thread;
  const tni_os_thread_options options = {.name = "deep",
                                         .stack_size = TNI_MIB(2)};
  (void)watch(1, grow_page);
  TEST(tni_os_thread_start(&thread, overflow_on_thread, NULL, &options) ==
       TN_OK);
  tni_os_thread_join(thread);
}

/* The page below a stack, whoever touches it. */
static void
touch_below_stack(void *argument)
{
  void *low = NULL, *high = NULL;
  (void)argument;
  TEST(tni_os_stack_bounds(&low, &high) == TN_OK);
  touch((unsigned char *)low - 16);
}

static void
case_overflow_touch(void)
{
  tni_os_thread *thread;
  (void)watch(1, grow_page);
  TEST(tni_os_thread_start(&thread, touch_below_stack, NULL, NULL) == TN_OK);
  tni_os_thread_join(thread);
}

/* A handler may use 32 KiB of the alternate stack. */
static bool
use_stack(void *argument, void *address, bool is_write)
{
  volatile char space[TNI_KIB(32)];
  for (size_t i = 0; i < sizeof space; i += 256)
    space[i] = 1;
  return grow_page(argument, address, is_write) && space[0] == 1;
}

static void
touch_in_deep_handler(void *argument)
{
  stack_t stack;
  TEST(sigaltstack(NULL, &stack) == 0 && stack.ss_size >= TNI_KIB(64));
  touch(argument);
}

static void
case_deep_handler(void)
{
  tni_os_thread *thread;
  unsigned char *const p = watch(1, use_stack);
  TEST(tni_os_thread_start(&thread, touch_in_deep_handler, p, NULL) == TN_OK);
  tni_os_thread_join(thread);
  TEST(p[0] == 1);
  TEST(tn_fault_watch_stack() == TN_OK);
  unsigned char *const q = watch(1, use_stack);
  touch_in_deep_handler(q);
  TEST(q[0] == 1);
}

int
main(void)
{
  page = tni_os_get_config()->page_size;
  TEST(child_passes(case_not_installed));
  TEST(child_passes(case_growth));
  TEST(child_passes(case_read_or_write));
  TEST(child_passes(case_many_ranges));
  TEST(child_passes(case_concurrent_change));
  TEST(child_dies(case_guard, SIGSEGV, "guard touched\n"));
  TEST(child_dies(case_removed, SIGSEGV, NULL));
  TEST(child_passes(case_previous_plain));
  TEST(child_passes(case_previous_info));
  TEST(child_passes(case_previous_nodefer));
  TEST(child_dies(case_previous_resethand, SIGSEGV, "once\n"));
  TEST(child_dies(case_previous_ignore, SIGSEGV, NULL));
  TEST(child_dies(case_default_access, SIGSEGV, NULL));
  TEST(child_dies(case_default_bus, SIGBUS, NULL));
  TEST(child_dies(case_sent_kill, SIGSEGV, NULL));
  TEST(child_passes(case_sent_queue));
  TEST(child_passes(case_sent_forged));
  TEST(child_passes(case_host_later));
#ifdef __SANITIZE_THREAD__  // it blocks every signal in every handler
  TEST(child_dies(case_nested_in_handler, SIGSEGV, NULL));
#else
  TEST(child_passes(case_nested_in_handler));
#endif
  TEST(child_dies(case_nested_in_ours, SIGSEGV, NULL));
  TEST(child_dies(case_blocked, SIGSEGV, NULL));
  TEST(child_passes(case_fork));
  TEST(child_passes(case_thread_without_alternate));
  TEST(child_passes(case_system_call));
  TEST(child_passes(case_errno));
  TEST(child_dies(case_overflow_main, SIGSEGV,
                  "stack overflow in overflow_here+0x"));
  TEST(child_dies(case_overflow_main, SIGSEGV, "thread 1 \"main\""));
  TEST(child_dies(case_overflow_thread, SIGSEGV,
                  "stack overflow in overflow_here+0x"));
  TEST(child_dies(case_overflow_thread, SIGSEGV,
                  "thread 2 \"deep\" has used its 2097152 bytes"));
  TEST(child_dies(case_overflow_touch, SIGSEGV, "stack overflow in "));
  TEST(child_passes(case_deep_handler));
  return test_done();
}
