/* death: SIGABRT "[checked.align]" modes: debug harden */
#include <tenure/bump.h>

int
main(void)
{
  unsigned char memory[256];
  tn_checked c;
  tn_checked_over(&c, memory, sizeof memory);
  tn_checked_push_aligned(&c, 10, 3);
  return 0;
}
