/* death: SIGABRT "[scope.cancel]" modes: debug harden */
#include <tenure/scope.h>

static void
nothing(void *argument)
{
  (void)argument;
}

int
main(void)
{
  tn_scope scope;
  tn_scope_init(&scope, NULL);
  tn_cleanup cleanup;
  tn_scope_attach(&scope, &cleanup, nothing, NULL);
  tn_scope_cancel(&scope, &cleanup);
  tn_scope_cancel(&scope, &cleanup);
  return 0;
}
