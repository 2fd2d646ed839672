/* death: SIGABRT "[scope.mark] a scope is unwound" modes: debug harden */
#include <tenure/scope.h>

int
main(void)
{
  tn_scope scope;
  tn_scope_init(&scope, NULL);
  const tn_scope_mark mark = tn_scope_enter(&scope);
  tn_scope_unwind(&scope, mark);
  tn_scope_unwind(&scope, mark);
  return 0;
}
