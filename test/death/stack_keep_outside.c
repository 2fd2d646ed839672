/* death: SIGABRT "[stack.order] bytes to keep are not in the frame" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const frame = tn_frame_push(&s, 8, NULL);
  const unsigned char *const block = tn_stack_alloc(&s, 16, 16);
  (void)tn_frame_keep(&s, frame, block, 17);
  return 0;
}
