/* death: SIGABRT "[mem.overlap] two blocks that overlap are swapped" modes: debug harden */
#include <tenure/mem.h>

int
main(void)
{
  static unsigned char bytes[100];
  tn_mem_swap(bytes, bytes + 99, 100);
  return 0;
}
