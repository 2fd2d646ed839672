/* death: SIGABRT "[checked.buffer]" modes: debug harden */
#include <tenure/bump.h>

int
main(void)
{
  unsigned char memory[32] __attribute__((aligned(16)));
  tn_checked c;
  tn_checked_over(&c, memory + 1, 30);
  return 0;
}
