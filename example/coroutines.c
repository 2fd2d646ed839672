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

enum { TASKS = 10000, ROUNDS = 3, BYTES = 10000 };

typedef struct task {
  ucontext_t context;
  tn_stack_room room;
} task;

static ucontext_t scheduler;
static task tasks[TASKS], *current;
static unsigned long sum;

static void
work(unsigned round, unsigned number)
{
  unsigned char *const bytes = TN_ALLOCA(BYTES);  // gone when work returns
  for (unsigned i = 0; i < BYTES; i++)
    bytes[i] = (unsigned char)(round + i);
  (void)swapcontext(&current->context, &scheduler);
  sum += bytes[round] + number;
}

static void
run(void)
{
  const unsigned number = (unsigned)(current - tasks);
  for (unsigned round = 0; round < ROUNDS; round++)
    work(round, number);
}

/* Let a task run until it waits or ends, and give back what its stack does not
 * need: the stack pointer is where the switch has saved it. */
static void
resume(tn_stack_pool *pool, task *t)
{
  current = t;
  (void)swapcontext(&scheduler, &t->context);
  char *const low = t->room.low;
  const uintptr_t pointer = (uintptr_t)t->context.uc_mcontext.gregs[REG_RSP];
  tn_stack_pool_park(pool, low, low + (pointer - (uintptr_t)low));
}

int
main(void)
{
  tn_stack_pool *pool;
  const tn_stack_pool_options how = {.count = TASKS, .size = 64 << 10};
  if (tn_fault_watch_stack() || tn_stack_pool_create(&pool, &how))
    return 1;
  for (task *t = tasks; t < tasks + TASKS; t++) {
    if (tn_stack_pool_take(pool, &t->room) || getcontext(&t->context))
      return 1;
    t->context.uc_stack.ss_sp = t->room.low;
    t->context.uc_stack.ss_size = t->room.size;
    t->context.uc_link = &scheduler;
    makecontext(&t->context, run, 0);
  }
  for (unsigned round = 0; round <= ROUNDS; round++)
    for (unsigned i = 0; i < TASKS; i++)
      resume(pool, &tasks[i]);
  tn_stack_pool_destroy(pool);
  printf("%d tasks took %d turns each: %lu\n", TASKS, ROUNDS, sum);
  /* The bytes are 0, 2, 4; each number is added in each round. */
  return sum != TASKS * 6ul + ROUNDS * (TASKS * (TASKS - 1ul) / 2);
}
