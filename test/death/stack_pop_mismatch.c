/* death: SIGABRT "[stack.frame] a pop of a frame that is not the newest, which is inner: pop that first" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const outer = tn_frame_push(&s, 8, "outer");
  (void)tn_frame_push(&s, 8, "inner");
  (void)tn_frame_pop(&s, outer);
  return 0;
}
