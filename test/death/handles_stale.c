/* death: SIGABRT "[handles.stale] handle 0x100000 is freed in pool bodies: its object has been freed" modes: debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  if (tn_handles_create(&pool, 8, &(tn_handles_options){.name = "bodies"}))
    return 1;
  const tn_handle h = tn_handles_alloc(&pool, NULL);
  tn_handles_free(&pool, h);
  tn_handles_free(&pool, h);
  return 0;
}
