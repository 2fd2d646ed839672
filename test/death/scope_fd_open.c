/* death: SIGABRT "[scope.fd_open] a scope is given" modes: debug harden */
#include <tenure/scope.h>

int
main(void)
{
  tn_scope scope;
  tn_scope_init(&scope, NULL);
  (void)!tn_scope_own_fd(&scope, 999);
  return 0;
}
