/* death: SIGABRT "[scope.fd_open] a descriptor is replaced" modes: debug harden */
#include <tenure/scope.h>

int
main(void)
{
  (void)tn_fd_replace(999, 2);
  return 0;
}
