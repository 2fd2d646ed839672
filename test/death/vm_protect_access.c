/* death: SIGABRT "[vm.access]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(4 * TN_VM_GRAIN, 1, &p);
  (void)tn_vm_commit(p, TN_VM_GRAIN);
  (void)tn_vm_protect(p, TN_VM_GRAIN, (tn_vm_access)4);
  return 0;
}
