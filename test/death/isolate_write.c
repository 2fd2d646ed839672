/* death: SIGABRT "[isolate.write] scribble+0x" modes: release debug harden */
/* death: SIGABRT "writes to the stack of its callers at 0x" modes: release debug harden */
/* death: SIGABRT "called scribble+0x0" modes: release debug harden */
#include <tenure/isolate.h>

TN_API void scribble(void *argument, void *result);

__attribute__((noinline)) void
scribble(void *argument, void *result)
{
  (void)result;
  *(volatile int *)argument = 1;
}

/* A function writes to a variable of its caller. */
int
main(void)
{
  static const tn_isolate_options always = {.is_always = true};
  int mine = 0;
  return tn_isolate_call(scribble, &mine, NULL, 0, &always) != TN_OK || mine;
}
