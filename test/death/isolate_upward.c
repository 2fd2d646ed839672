/* death: SIGABRT "[isolate.write] overflow+0x" modes: debug harden */
/* death: SIGABRT "writes to the stack of its callers at 0x" modes: debug harden */
/* death: SIGABRT "called a plug-in" modes: debug harden */
#include <tenure/isolate.h>

TN_API void overflow(void *argument, void *result);

__attribute__((noinline)) void
overflow(void *argument, void *result)
{
  char line[16];
  (void)result;
  for (volatile char *p = line; p < line + *(const int *)argument; p++)
    *p = 'x';
}

/* A buffer of the callee's overflows upward, as far as its caller. */
int
main(void)
{
  static int size = 1 << 16;
  static const tn_isolate_options named = {.name = "a plug-in"};
  return tn_isolate_call(overflow, &size, NULL, 0, &named) == TN_OK;
}
