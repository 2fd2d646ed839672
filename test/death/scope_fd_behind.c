/* death: SIGABRT "[scope.fd_open] a descriptor is closed that is not open" modes: debug */
#include <unistd.h>

#include <tenure/scope.h>
#include <tenure/source.h>

int
main(void)
{
  _Alignas(16) unsigned char bytes[512];
  tn_fixed fixed;
  tn_fixed_init(&fixed, bytes, sizeof bytes);
  tn_scope scope;
  tn_scope_init(&scope, &fixed.provider);
  const int fd = dup(2);
  (void)!tn_scope_own_fd(&scope, fd);
  close(fd);
  tn_scope_fini(&scope);
  return 0;
}
