/* death: SIGABRT "[stack.buffer]" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  tn_stack s;
  tn_stack_init(&s, NULL, 10);
  return 0;
}
