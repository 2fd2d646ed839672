/* death: SIGABRT "[stack.local] closed with something pushed that is not popped" modes: debug harden */
#include <tenure/stack.h>

int
main(void)
{
  static unsigned char buffer[1000];
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_local l = tn_local_open(&s, 16);
  (void)tn_local_push(&l, 8);
  tn_local_close(&s, &l);
  return 0;
}
