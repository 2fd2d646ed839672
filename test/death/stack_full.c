/* death: SIGABRT "[region.bounds] stack" modes: release debug harden */
#include <tenure/stack.h>

/* A block in hand, written past its end into the guard above the stack. */
int
main(void)
{
  tn_stack s;
  const tn_stack_options options = {.size = 1 << 16, .name = "calls"};
  if (tn_stack_create(&s, &options) != TN_OK)
    return 1;
  volatile unsigned char *const p = tn_stack_alloc(&s, 1 << 16, 16);
  p[1 << 16] = 1;
  return 0;
}
