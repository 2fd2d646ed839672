/* death: SIGABRT "[isolate.range]" modes: debug harden */
#include <tenure/isolate.h>

static void
nothing(void *argument, void *result)
{
  (void)argument, (void)result;
}

int
main(void)
{
  static char bytes[64];
  static const tn_isolate_range range = {bytes + 1, 32, "bytes"};
  static const tn_isolate_options odd = {&range, 1, "nothing", false};
  return tn_isolate_call(nothing, NULL, NULL, 0, &odd) != TN_OK;
}
