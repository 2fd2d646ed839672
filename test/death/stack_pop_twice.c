/* death: SIGABRT "[stack.frame] a pop of a frame on a stack without frames" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const frame = tn_frame_push(&s, 8, "once");
  (void)tn_frame_pop(&s, frame);
  (void)tn_frame_pop(&s, frame);
  return 0;
}
