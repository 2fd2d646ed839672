/* death: SIGABRT "[scope.order]" modes: debug harden */
#include <tenure/scope.h>

int
main(void)
{
  tn_scope scope;
  tn_scope_init(&scope, NULL);
  const tn_scope_mark outer = tn_scope_enter(&scope);
  (void)!tn_scope_enter(&scope).serial;
  tn_scope_leave(&scope, outer);
  return 0;
}
