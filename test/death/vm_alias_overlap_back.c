/* death: SIGABRT "[vm.overlap]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(4 * TN_VM_GRAIN, 1, &p);
  unsigned char *const bytes = p;
  (void)tn_vm_alias(bytes + TN_VM_GRAIN, p, 2 * TN_VM_GRAIN);
  return 0;
}
