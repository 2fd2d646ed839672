/* death: SIGABRT "[vm.base]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  int local;
  (void)tn_vm_release(&local);
  return 0;
}
