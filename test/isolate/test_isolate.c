/* test_isolate.c -- calls that may write to their own memory only
 *
 * What is caught is caught in a child (or in test/death/isolate_*.c, which has
 * the whole lines): a store into the caller's frame, into its caller's, beyond
 * the result, into named pages.  All the rest of a call goes on as ever.
 * Covers  [isolate.write] [isolate.range] [isolate.result] [isolate.record]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/arena.h>
#include <tenure/isolate.h>
#include <tenure/scope.h>
#include <tenure/stack.h>
#include <tenure/vm.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "test.h"

static const tn_isolate_options always = {.is_always = true, .name = "callee"};
static __thread int local;
static int global;
static jmp_buf back;
static unsigned char *pages;
static size_t page;

/* ---- What is called ------------------------------------------------------ */

static void
add(void *argument, void *result)
{
  const int *const numbers = argument;
  char mine[3000];
  memset(mine, numbers[0], sizeof mine);
  __asm__ volatile("" : : "r"(mine) : "memory");
  TEST(*(int *)result == 0 && ((uintptr_t)result & 15) == 0);
  *(int *)result = numbers[0] + numbers[1] + (mine[1] != numbers[0]);
  local = global = 7;
  errno = EDOM;
  free(malloc((size_t)numbers[0]));
}

static void
store(void *argument, void *result)
{
  (void)result;
  ++*(volatile int *)argument;
}

static void
overrun(void *argument, void *result)
{
  (void)argument;
  ((volatile char *)result)[32] = 1;
}

static void
leave(void *argument, void *result)
{
  (void)argument, (void)result;
  longjmp(back, 3);
}

static void
nothing(void *argument, void *result)
{
  (void)argument, (void)result;
}

/* Call it in a child whose standard error is out. */
static pid_t
call_in_child(tn_isolate_fn *fn, void *argument,
              const tn_isolate_options *options, int out)
{
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit limit = {0, 0};
    char result[32];
    (void)setrlimit(RLIMIT_CORE, &limit);
    (void)(out < 0 ? close(2) : dup2(out, 2));
    _exit(tn_isolate_call(fn, argument, result, sizeof result, options) !=
          TN_OK);
  }
  return child;
}

/* How a call ends in a child: 0, or the number of a signal. */
static int
ending(tn_isolate_fn *fn, void *argument, const tn_isolate_options *options)
{
  const pid_t child = call_in_child(fn, argument, options, -1);
  int status = 0;
  TEST(child > 0 && waitpid(child, &status, 0) == child);
  TEST(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Whether a call is ended with a line that holds these words. */
static bool
says(tn_isolate_fn *fn, void *argument, const tn_isolate_options *options,
     const char *words)
{
  int ends[2], status = 0;
  char text[2000];
  if (!TEST(pipe(ends) == 0))
    return false;
  const pid_t child = call_in_child(fn, argument, options, ends[1]);
  close(ends[1]);
  size_t got = 0;
  for (ssize_t n; got < sizeof text - 1 &&
                  (n = read(ends[0], text + got, sizeof text - 1 - got)) > 0;)
    got += (size_t)n;
  text[got] = '\0';
  close(ends[0]);
  TEST(child > 0 && waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
         strstr(text, words) != NULL;
}

/* ---- Tests ----------------------------------------------------------------- */

static void
test_result(const tn_isolate_options *options)
{
  int numbers[2] = {3, 4}, sum = 0;
  local = global = errno = 0;
  TEST(tn_isolate_call(add, numbers, &sum, sizeof sum, options) == TN_OK);
  TEST(sum == 7 && local == 7 && global == 7 && errno == EDOM);
  numbers[0] = 5;  // writable again
  char large[TN_ISOLATE_RESULT + 1];
  memset(large, 1, sizeof large);
  TEST(tn_isolate_call(nothing, NULL, large, sizeof large - 1, options) ==
       TN_OK);
  TEST(large[0] == 0 && large[sizeof large - 2] == 0 &&
       large[sizeof large - 1] == 1);
  TEST(tn_isolate_call(nothing, NULL, NULL, 0, options) == TN_OK);
}

static void
test_caught(void)
{
  int mine = 0, *const far = &mine;
  int own = 0;
  TEST(ending(nothing, NULL, &always) == 0);
  TEST(ending(store, &global, &always) == 0);
  TEST(ending(store, far, &always) == SIGABRT);
  TEST(ending(overrun, NULL, &always) == SIGABRT);
  TEST(ending(store, &own, NULL) ==
       (tn_isolate_is_active(false) ? SIGABRT : 0));
  TEST(tn_isolate_is_active(true));
  TEST(tn_isolate_is_active(false) == (TN_DEBUG >= 1 || TN_HARDEN >= 1));
}

static void
test_ranges(void)
{
  const tn_isolate_range range[] = {{pages, page, "first"},
                                    {pages + 2 * page, page, "third"}};
  const tn_isolate_options both = {range, 2, "callee", true};
  TEST(ending(store, pages + page - 4, &both) == SIGABRT);
  TEST(ending(store, pages + page, &both) == 0);
  TEST(ending(store, pages + 2 * page, &both) == SIGABRT);
  TEST(ending(store, pages + 3 * page, &both) == 0);
  TEST(tn_isolate_call(nothing, NULL, NULL, 0, &both) == TN_OK);
  pages[0] = pages[2 * page] = 1;
  /* What cannot be protected: nothing was called, the rest is as it was. */
  unsigned char *gone = NULL;
  TEST(tn_vm_reserve(page, page, (void **)&gone) == TN_OK &&
       tn_vm_release(gone) == TN_OK);
  const tn_isolate_range wrong[] = {range[0], {gone, page, "gone"}};
  const tn_isolate_options bad = {wrong, 2, "callee", true};
  global = 1;
  TEST(tn_isolate_call(store, &global, NULL, 0, &bad) == TN_ENOMEM);
  TEST(global == 1);
  pages[0] = 2;
#if TN_DEBUG == 0 && TN_HARDEN == 0
  const tn_isolate_range odd[] = {{pages + 1, page, "odd"}};
  const tn_isolate_options refused = {odd, 1, NULL, false};
  char large[TN_ISOLATE_RESULT + 1];
  TEST(tn_isolate_call(store, &global, NULL, 0, &refused) == TN_EINVAL);
  TEST(tn_isolate_call(store, &global, large, sizeof large, NULL) == TN_EINVAL);
  TEST(global == 1);
#endif
}

/* An arena in memory that is named: it can be read, and is itself again. */
static void
test_arena(void)
{
  tn_arena arena;
  const tn_arena_options options = {.buffer = pages, .buffer_size = 4 * page};
  const tn_isolate_range range = {pages, 4 * page, "arena"};
  const tn_isolate_options named = {&range, 1, NULL, true};
  if (!TEST(tn_arena_create(&arena, &options) == TN_OK))
    return;
  int *const numbers = tn_arena_push(&arena, 2 * sizeof *numbers);
  int sum = 0;
  numbers[0] = 20, numbers[1] = 22;
  TEST(tn_isolate_call(add, numbers, &sum, sizeof sum, &named) == TN_OK);
  TEST(sum == 42);
  TEST(ending(store, numbers, &named) == SIGABRT);
  *(int *)tn_arena_push(&arena, sizeof(int)) = 1;
  tn_arena_destroy(&arena);
}

/* ---- Nesting --------------------------------------------------------------- */

typedef struct nest {
  const tn_isolate_options *options;
  int depth, victim;
  volatile int *targets[4];
} nest;

static void
descend(void *argument, void *result)
{
  const nest *const outer = argument;
  volatile int mine = 0;
  nest next = *outer;
  next.depth--;
  next.targets[next.depth] = &mine;
  if (next.depth > 0) {
    int sum = 0;
    TEST(tn_isolate_call(descend, &next, &sum, sizeof sum, next.options) ==
         TN_OK);
    mine = 1;  // ours again
    *(int *)result = sum + 1;
    if (next.victim == 10 + next.depth)
      ++*(volatile int *)pages;
    if (next.victim == 20 + next.depth)
      ++*next.targets[2];
  } else {
    *(int *)result = 1;
    if (next.victim < 4)
      ++*next.targets[next.victim];
  }
}

static void
test_nesting(void)
{
  const tn_isolate_range range = {pages, page, "pages"};
  const tn_isolate_options options = {&range, 1, "descend", true};
  nest first = {&options, 3, 4, {NULL}};
  int sum = 0;
  TEST(tn_isolate_call(descend, &first, &sum, sizeof sum, &options) == TN_OK);
  TEST(sum == 3);
  for (first.victim = 0; first.victim < 3; first.victim++)
    TEST(ending(descend, &first, &options) ==
         (first.victim == 0 ? 0 : SIGABRT));
  /* The inner calls named it too, and did not open it. */
  for (first.victim = 11; first.victim < 13; first.victim++)
    TEST(ending(descend, &first, &options) == SIGABRT);
  /* Nor the stack that the outer call protects; what is a call's own it may
   * write to. */
  first.victim = 21;
  TEST(ending(descend, &first, &options) == SIGABRT);
  first.victim = 22;
  TEST(ending(descend, &first, &options) == 0);
  pages[0] = 1;
}

/* ---- Leaving by a jump ------------------------------------------------------ */

static void
descend_and_leave(void *argument, void *result)
{
  (void)result;
  int depth = *(const int *)argument - 1;
  const tn_isolate_range range = {pages + (size_t)depth * page, page, "pages"};
  const tn_isolate_options options = {&range, 1, "descend", true};
  (void)tn_isolate_call(depth > 0 ? descend_and_leave : leave, &depth, NULL, 0,
                        &options);
}

static void
test_leave(void)
{
  const tn_isolate_range range = {pages + 3 * page, page, "pages"};
  const tn_isolate_options options = {&range, 1, "leave", true};
  int depth = 3, numbers[2] = {1, 2}, sum = 5;
  for (volatile int i = 0; i < 3; i++) {
    if (setjmp(back) == 0) {
      TEST(tn_isolate_call(i == 0 ? leave : descend_and_leave, &depth, &sum,
                           sizeof sum, &options) == TN_OK);
      TEST(false);
    }
    for (size_t at = 0; at < 4; at++)
      pages[at * page] = 1;
    TEST(sum == 5);
  }
  TEST(tn_isolate_call(add, numbers, &sum, sizeof sum, &options) == TN_OK);
  TEST(sum == 3);
  TEST(ending(store, numbers, &options) == SIGABRT);
}

/* What was registered inside is undone by whom the jump reached: it may write
 * to what the calls that were left had protected. */
static tn_scope undone;

static void
undo(void *argument)
{
  ++*(volatile unsigned char *)argument;
}

static void
defer_and_leave(void *argument, void *result)
{
  (void)result;
  static tn_cleanup storage[2];
  const tn_scope_mark mark = tn_scope_enter(&undone);
  TEST(mark.scope == &undone);
  tn_scope_attach(&undone, &storage[0], undo, pages);
  tn_scope_attach(&undone, &storage[1], undo, argument);
  longjmp(back, 3);
}

static void
test_unwind(void)
{
  const tn_isolate_range range = {pages, page, "pages"};
  const tn_isolate_options options = {&range, 1, "leave", true};
  unsigned char mine = 0;
  pages[0] = 0;
  tn_scope_init(&undone, NULL);
  const tn_scope_mark mark = tn_scope_enter(&undone);
  if (setjmp(back) == 0) {
    (void)tn_isolate_call(defer_and_leave, &mine, NULL, 0, &options);
    TEST(false);
  }
  tn_scope_unwind(&undone, mark);
  TEST(pages[0] == 1 && *(volatile unsigned char *)&mine == 1);
  tn_scope_fini(&undone);
}

/* ---- Other stacks ----------------------------------------------------------- */

/* Deep enough in its stack that there are whole pages above. */
__attribute__((noinline)) static void
test_below(unsigned depth)
{
  char hole[4096];
  hole[0] = (char)depth;
  __asm__ volatile("" : : "r"(hole) : "memory");  // all of it is needed
  if (depth > 0) {
    test_below(depth - 1);
  } else {
    int mine = 0;
    test_result(&always);
    TEST(ending(store, &mine, &always) == SIGABRT);
    TEST(ending(store, &local, &always) == 0);
  }
  TEST(hole[0] == (char)depth);
}

static void *
thread(void *argument)
{
  test_result(&always);  // little may be protected here, all must go on
  test_below(4);
  return argument;
}

static ucontext_t here, there;

static void
coroutine(void)
{
  test_below(1);
}

static void
test_stacks(void)
{
  pthread_t id;
  TEST(pthread_create(&id, NULL, thread, NULL) == 0 &&
       pthread_join(id, NULL) == 0);
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {2, 1 << 18, 0, false, "test"};
  tn_stack_room room;
  if (!TEST(tn_stack_pool_create(&pool, &options) == TN_OK &&
            tn_stack_pool_take(pool, &room) == TN_OK &&
            getcontext(&there) == 0))
    return;
  there.uc_stack.ss_sp = room.low;
  there.uc_stack.ss_size = room.size;
  there.uc_link = &here;
  makecontext(&there, coroutine, 0);
  TEST(swapcontext(&here, &there) == 0);
  tn_stack_pool_destroy(pool);
}

/* A stack of whose end nobody knows: no call that must protect, a plain one
 * otherwise. */
static tn_status must, may;
static int plain_sum;

static void
coroutine_elsewhere(void)
{
  int numbers[2] = {20, 22};
  const tn_isolate_options when_checking = {.name = "callee"};
  must = tn_isolate_call(add, numbers, &plain_sum, sizeof plain_sum, &always);
  may = tn_isolate_call(add, numbers, &plain_sum, sizeof plain_sum,
                        &when_checking);
}

static void
test_unknown_stack(void *low, size_t size)
{
  must = may = TN_EINVAL;
  plain_sum = 0;
  if (!TEST(getcontext(&there) == 0))
    return;
  there.uc_stack.ss_sp = low;
  there.uc_stack.ss_size = size;
  there.uc_link = &here;
  makecontext(&there, coroutine_elsewhere, 0);
  TEST(swapcontext(&here, &there) == 0);
  TEST(must == TN_ENOTSUP && may == TN_OK && plain_sum == 42);
}

/* Memory of nobody's, and of an arena. */
static void
test_unknown_stacks(void)
{
  enum { SIZE = 1 << 17 };
  static char nobodys[SIZE];
  test_unknown_stack(nobodys, SIZE);
  tn_arena arena;
  if (!TEST(tn_arena_create(&arena, NULL) == TN_OK))
    return;
  test_unknown_stack(tn_arena_push(&arena, SIZE), SIZE);
  tn_arena_destroy(&arena);
}

/* A range in a region that is watched, of a stack: the call around is asked
 * first, and the region's watch has the rest. */
static void
test_watched(void)
{
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {2, 1 << 18, 0, false, "test"};
  tn_stack_room room;
  if (!TEST(tn_stack_pool_create(&pool, &options) == TN_OK &&
            tn_stack_pool_take(pool, &room) == TN_OK))
    return;
  unsigned char *const low = room.low;
  const tn_isolate_range range = {low, page, "of a stack"};
  const tn_isolate_options named = {&range, 1, "callee", true};
  TEST(says(store, low, &named, "[isolate.write]"));
  TEST(says(store, low, &named, "of a stack"));
  TEST(ending(store, low + page, &named) == 0);
  TEST(says(store, low - page, &named, "[stack.overflow]"));
  TEST(tn_isolate_call(nothing, NULL, NULL, 0, &named) == TN_OK);
  low[0] = 1;
  tn_stack_pool_destroy(pool);
}

int
main(void)
{
  page = tn_vm_page_size();
  if (!TEST(tn_vm_reserve(4 * page, page, (void **)&pages) == TN_OK &&
            tn_vm_commit(pages, 4 * page) == TN_OK))
    return test_done();
  test_result(NULL);
  test_result(&always);
  test_caught();
  test_ranges();
  test_arena();
  test_nesting();
  test_leave();
  test_unwind();
  test_stacks();
  test_unknown_stacks();
  test_watched();
  return test_done();
}
