/* death: SIGABRT "[bump.align]" modes: debug harden */
/* death: SIGSEGV "" modes: release */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  tn_bump_push_aligned(&b, 10, 0);
  return 0;
}
