/* death: SIGABRT "[mem.overlap] a copy onto itself" modes: debug harden */
#include <tenure/mem.h>

int
main(void)
{
  static unsigned char bytes[100];
  tn_mem_copy_nt(bytes, bytes, 1);
  return 0;
}
