/* death: SIGABRT "[stack.child] stack middle ends while its child leaf lives" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_stack *const middle = tn_stack_carve(&s, 500, "middle");
  (void)tn_stack_carve(middle, 100, "leaf");
  tn_stack_join(middle);
  return 0;
}
