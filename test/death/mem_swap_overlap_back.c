/* death: SIGABRT "[mem.overlap]" modes: debug harden */
#include <tenure/mem.h>

int
main(void)
{
  static unsigned char bytes[100];
  tn_mem_swap(bytes + 1, bytes, 2);
  return 0;
}
