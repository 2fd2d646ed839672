/* death: SIGABRT "[stack.child] frame spawn ends while its child worker lives: join it first" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const frame = tn_frame_push(&s, 8, "spawn");
  tn_stack *const joined = tn_stack_carve(&s, 100, "joined");
  (void)tn_stack_carve(&s, 100, "worker");
  tn_stack *const other = tn_stack_carve(&s, 100, "other");
  tn_stack_join(joined);
  tn_stack_join(other);
  (void)tn_frame_pop(&s, frame);
  return 0;
}
