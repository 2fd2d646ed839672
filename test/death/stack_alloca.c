/* death: SIGABRT "[stack.overflow] stack 0 of pool tasks overflows in take+0x" modes: release debug harden */
#define _GNU_SOURCE
#include <tenure/fault.h>
#include <tenure/stack.h>

#include <pthread.h>

TN_API size_t take(size_t size);

/* One MiB on a stack of 64 KiB: the guard is met, not jumped over. */
__attribute__((noinline)) size_t
take(size_t size)
{
  char *const p = TN_ALLOCA(size);
  p[0] = 1;
  return (size_t)p[0];
}

static void *
run(void *argument)
{
  if (tn_fault_watch_stack() == TN_OK)
    (void)take(1 << 20);
  return argument;
}

int
main(void)
{
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {4, 1 << 16, 4096, false, "tasks"};
  tn_stack_room room;
  pthread_attr_t how;
  pthread_t thread;
  if (tn_stack_pool_create(&pool, &options) != TN_OK ||
      tn_stack_pool_take(pool, &room) != TN_OK ||
      pthread_attr_init(&how) != 0 ||
      pthread_attr_setstack(&how, room.low, room.size) != 0 ||
      pthread_create(&thread, &how, run, NULL) != 0)
    return 1;
  return pthread_join(thread, NULL);
}
