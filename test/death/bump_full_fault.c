/* death: SIGABRT "[bump.full] allocator grown is full" modes: release debug harden */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "grown",
                                            .size = 1 << 20,
                                            .commit = TN_COMMIT_FAULT}))
    return 1;
  for (;;)
    tn_bump_push(&b, 100);
  return 0;
}
