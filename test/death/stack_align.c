/* death: SIGABRT "[stack.align] alignment is not a power of two" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  (void)tn_stack_alloc(&s, 8, 24);
  return 0;
}
