/* death: SIGABRT "[stack.child] frame without a name ends while its child without a name lives" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const frame = tn_frame_push(&s, 8, NULL);
  (void)tn_stack_carve(&s, 100, NULL);
  (void)tn_frame_keep(&s, frame, frame + 1, 1);
  return 0;
}
