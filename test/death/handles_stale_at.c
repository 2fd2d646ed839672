/* death: SIGABRT "[handles.stale] handle 0x100000 is asked for in pool" modes: release debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  if (tn_handles_create(&pool, 8, NULL))
    return 1;
  const tn_handle h = tn_handles_alloc(&pool, NULL);
  tn_handles_free(&pool, h);
  return tn_handles_at(&pool, h) == NULL;
}
