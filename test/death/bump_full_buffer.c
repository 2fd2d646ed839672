/* death: SIGABRT "[checked.full] allocator over a buffer is full: asked for 512 bytes, " modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  unsigned char memory[256];
  tn_checked c;
  tn_checked_over(&c, memory, sizeof memory);
  tn_checked_push(&c, 500);
  return 0;
}
