/* death: SIGABRT "[stack.foreign] a stack is parked by what runs on it" modes: debug harden */
#define _GNU_SOURCE
#include <tenure/stack.h>

#include <pthread.h>

static tn_stack_pool *pool;
static tn_stack_room room;

static void *
run(void *argument)
{
  tn_stack_pool_park(pool, room.low, __builtin_frame_address(0));
  return argument;
}

int
main(void)
{
  const tn_stack_pool_options options = {.count = 4, .size = 1 << 16};
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
