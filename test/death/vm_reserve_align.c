/* death: SIGABRT "[vm.align]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(1, 48, &p);
  return 0;
}
