/* death: SIGABRT "[stack.join] not a stack that was carved, or joined before" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_stack *const child = tn_stack_carve(&s, 100, NULL);
  (void)tn_stack_carve(&s, 100, NULL);
  tn_stack_join(child);
  tn_stack_join(child);
  return 0;
}
