/* death: SIGABRT "[bump.created]" modes: debug harden */
#include <tenure/bump.h>

int
main(void)
{
  static unsigned char memory[256];
  tn_bump b = {.cursor = memory + 256};
  tn_bump_reset(&b);
  return 0;
}
