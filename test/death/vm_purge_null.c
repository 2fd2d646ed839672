/* death: SIGABRT "[vm.range]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  (void)tn_vm_purge(NULL, tn_vm_page_size());
  return 0;
}
