/* death: SIGABRT "[handles.foreign] handle 0x0 is freed in pool blocks: it is none" modes: debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  const tn_handles_options how = {.align = TN_ALIGN, .name = "blocks"};
  if (tn_handles_create(&pool, 32, &how))
    return 1;
  tn_handles_provider offered = tn_handles_provide(&pool);
  void *const block = tn_allocate(&offered.provider, 32, 1).pointer;
  tn_release(&offered.provider, block, 32, 1);
  tn_release(&offered.provider, block, 32, 1);
  return 0;
}
