/* coroutines.c -- a scheduler of coroutines, each on a stack of a pool
 *
 * Ten thousand tasks take turns; each is a plain function that calls others
 * and yields from inside them.  While a task waits its stack is parked: it
 * keeps the pages that it uses and gives the rest back.  The switch is
 * <ucontext.h>'s, which asks the kernel for the signal mask each time: a
 * program in a hurry brings its own.
 */
#define _GNU_SOURCE
#include <tenure/fault.h>
#include <tenure/stack.h>

#include <stdio.h>
#include <ucontext.h>

enum { TASKS = 10000, ROUNDS = 3 };

typedef struct task {
  ucontext_t context;
  tn_stack_room room;
  void *waits_at;  // the stack pointer of a task that yielded
  unsigned number;
  unsigned long sum;
} task;

static ucontext_t scheduler;
static task *current;
static tn_stack_pool *pool;

/* Not inlined: what waits must lie above its frame. */
__attribute__((noinline)) static void
yield(void)
{
  task *const self = current;
  self->waits_at = (char *)__builtin_frame_address(0) - 1024;  // of swapcontext
  (void)swapcontext(&self->context, &scheduler);
}

static unsigned
work(unsigned round)
{
  unsigned char *const bytes = TN_ALLOCA(10000);  // gone when work returns
  for (unsigned i = 0; i < 10000; i++)
    bytes[i] = (unsigned char)(round + i);
  yield();
  return bytes[round];
}

static void
run(void)
{
  task *const self = current;
  for (unsigned round = 0; round < ROUNDS; round++)
    self->sum += work(round) + self->number;
}

static int
start(task *t)
{
  if (tn_stack_pool_take(pool, &t->room) != TN_OK || getcontext(&t->context))
    return -1;
  t->context.uc_stack.ss_sp = t->room.low;
  t->context.uc_stack.ss_size = t->room.size;
  t->context.uc_link = &scheduler;
  makecontext(&t->context, run, 0);
  return 0;
}

static void
resume(task *t)
{
  current = t;
  (void)swapcontext(&scheduler, &t->context);
  tn_stack_pool_park(pool, t->room.low, t->waits_at);
}

int
main(void)
{
  static task tasks[TASKS];
  const tn_stack_pool_options options = {
      .count = TASKS, .size = 64 << 10, .name = "tasks"};
  if (tn_fault_watch_stack() != TN_OK ||
      tn_stack_pool_create(&pool, &options) != TN_OK)
    return 1;
  for (unsigned i = 0; i < TASKS; i++) {
    tasks[i].number = i;
    if (start(&tasks[i]) != 0)
      return 1;
  }
  for (unsigned round = 0; round <= ROUNDS; round++)
    for (unsigned i = 0; i < TASKS; i++)
      resume(&tasks[i]);
  unsigned long sum = 0;
  for (unsigned i = 0; i < TASKS; i++) {
    sum += tasks[i].sum;
    tn_stack_pool_give(pool, tasks[i].room.low);
  }
  printf("%d tasks, %zu stacks taken now, sum %lu\n", TASKS,
         tn_stack_pool_get_taken(pool), sum);
  tn_stack_pool_destroy(pool);
  /* The bytes are 0, 2, 4; each number is added in each round. */
  return sum == TASKS * 6ul + ROUNDS * (TASKS * (TASKS - 1ul) / 2) ? 0 : 1;
}
