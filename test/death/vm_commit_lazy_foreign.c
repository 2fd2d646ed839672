/* death: SIGABRT "[vm.range]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  static char foreign[1];
  (void)tn_vm_commit_lazy(foreign, tn_vm_page_size());
  return 0;
}
