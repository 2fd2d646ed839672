/* death: SIGABRT "[stack.foreign] a stack pointer that is not on the stack that is parked" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {.count = 4, .size = 1 << 14};
  tn_stack_room room;
  if (tn_stack_pool_create(&pool, &options) != TN_OK ||
      tn_stack_pool_take(pool, &room) != TN_OK)
    return 1;
  tn_stack_pool_park(pool, room.low, &room);
  return 0;
}
