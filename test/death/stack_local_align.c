/* death: SIGABRT "[stack.align] push types of larger alignment first" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_local l = tn_local_open(&s, 16);
  *TN_LOCAL_PUSH(&l, char) = 1;
  *TN_LOCAL_PUSH(&l, int) = 2;
  return 0;
}
