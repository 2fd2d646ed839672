/* death: SIGABRT "[stack.delimiter] a frame's record was written over" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  unsigned char *const block = tn_stack_alloc(&s, 16, 16);
  tn_frame *const frame = tn_frame_push(&s, 0, "victim");
  ((volatile unsigned char *)block)[16 + sizeof(uintptr_t)] ^= 1;
  (void)tn_frame_pop(&s, frame);
  return 0;
}
