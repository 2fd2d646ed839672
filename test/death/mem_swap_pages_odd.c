/* death: SIGABRT "[mem.page]" modes: debug harden */
#include <tenure/mem.h>

int
main(void)
{
  static unsigned char bytes[3 << 16];
  tn_mem_swap_pages(bytes + 1, bytes + (1 << 16) + 1, 4096);
  return 0;
}
