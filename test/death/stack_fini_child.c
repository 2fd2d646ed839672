/* death: SIGABRT "[stack.child] stack without a name ends while its child task lives" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  (void)tn_stack_carve(&s, 100, "task");
  tn_stack_fini(&s);
  return 0;
}
