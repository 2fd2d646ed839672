/* death: SIGABRT "[scope.fd_twice]" modes: debug harden */
#include <unistd.h>

#include <tenure/scope.h>

int
main(void)
{
  const int fd = dup(2);
  tn_fd_close_batch((const int[]){fd, fd}, 2);
  return 0;
}
