/* death: SIGABRT "[scope.order]" modes: debug harden */
#include <tenure/scope.h>

int
main(void)
{
  tn_scope scope;
  tn_scope_init(&scope, NULL);
  const tn_scope_mark mark = tn_scope_enter(&scope);
  tn_scope_leave(&scope, mark);
  tn_scope_leave(&scope, mark);
  return 0;
}
