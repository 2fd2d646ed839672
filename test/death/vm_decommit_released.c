/* death: SIGABRT "[vm.range]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(4 * TN_VM_GRAIN, 1, &p);
  (void)tn_vm_release(p);
  (void)tn_vm_decommit(p, TN_VM_GRAIN);
  return 0;
}
