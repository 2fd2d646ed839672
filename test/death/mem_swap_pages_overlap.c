/* death: SIGABRT "[mem.overlap]" modes: debug harden */
#include <tenure/mem.h>
#include <tenure/vm.h>

int
main(void)
{
  void *p = NULL;
  (void)tn_vm_reserve(1 << 20, 1, &p);
  tn_mem_swap_pages(p, (unsigned char *)p + tn_vm_page_size(),
                    2 * tn_vm_page_size());
  return 0;
}
