/* death: SIGABRT "[isolate.result]" modes: debug harden */
#include <tenure/isolate.h>

static void
nothing(void *argument, void *result)
{
  (void)argument, (void)result;
}

int
main(void)
{
  char large[TN_ISOLATE_RESULT + 1];
  return tn_isolate_call(nothing, NULL, large, sizeof large, NULL) != TN_OK;
}
