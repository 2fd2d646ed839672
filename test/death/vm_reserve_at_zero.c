/* death: SIGABRT "[vm.size]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(1, 1, &p);
  (void)tn_vm_reserve_at(p, 0);
  return 0;
}
