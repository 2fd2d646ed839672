/* death: SIGABRT "[vm.range]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(4 * TN_VM_GRAIN, 1, &p);
  unsigned char *const bytes = p;
  (void)tn_vm_commit(bytes + 8, tn_vm_page_size());
  return 0;
}
