/* death: SIGABRT "[bump.frozen]" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  unsigned char memory[256];
  tn_checked c;
  tn_checked_over(&c, memory, sizeof memory);
  TN_SCOPE(s, &c);
  tn_checked_push(&c, 1);
  return 0;
}
