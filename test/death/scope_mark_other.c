/* death: SIGABRT "[scope.mark] a scope is left" modes: debug harden */
#include <tenure/scope.h>

int
main(void)
{
  tn_scope scope;
  tn_scope_init(&scope, NULL);
  tn_scope other;
  tn_scope_init(&other, NULL);
  const tn_scope_mark mark = tn_scope_enter(&scope);
  (void)!tn_scope_enter(&other).serial;
  tn_scope_leave(&other, mark);
  return 0;
}
