/* death: SIGABRT "[vm.range]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(4 * TN_VM_GRAIN, 1, &p);
  (void)tn_vm_commit(p, 0);
  return 0;
}
