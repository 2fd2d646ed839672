/* death: SIGABRT "[vm.size]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(0, 1, &p);
  return 0;
}
