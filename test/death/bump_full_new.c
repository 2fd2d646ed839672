/* death: SIGABRT "[bump.full]" modes: release debug harden */
#include <tenure/bump.h>

typedef struct block {
  int words[100];
} block;

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  for (;;)
    (void)TN_NEW(&b, block, {{1}});
  return 0;
}
