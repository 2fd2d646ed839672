/* death: SIGABRT "[stack.local] closed with something above it on the stack" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  const tn_local l = tn_local_open(&s, 16);
  (void)tn_stack_alloc(&s, 1, 1);
  tn_local_close(&s, &l);
  return 0;
}
