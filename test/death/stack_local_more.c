/* death: SIGABRT "[stack.local] more is pushed than tn_local_open asked for" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_local l = tn_local_open(&s, 15);
  (void)tn_local_push(&l, 8);
  (void)tn_local_push(&l, 8);
  return 0;
}
