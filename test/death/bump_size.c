/* death: SIGABRT "[bump.size]" modes: debug */
#include <tenure/bump.h>

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.name = "frame", .size = 1 << 20}))
    return 1;
  const size_t size = ((size_t)1 << 32) + 1;
  tn_bump_push(&b, size);
  return 0;
}
