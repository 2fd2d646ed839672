/* death: SIGABRT "[stack.foreign] not the beginning of a stack of this pool that is taken" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  tn_stack_pool *a, *b;
  const tn_stack_pool_options options = {.count = 4, .size = 1 << 14};
  tn_stack_room room;
  if (tn_stack_pool_create(&a, &options) != TN_OK ||
      tn_stack_pool_create(&b, &options) != TN_OK ||
      tn_stack_pool_take(a, &room) != TN_OK)
    return 1;
  tn_stack_pool_give(b, room.low);
  return 0;
}
