/* death: SIGABRT "[handles.foreign] handle 0x0 is asked for in pool without a name: it is none" modes: release debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  if (tn_handles_create(&pool, 8, NULL))
    return 1;
  return tn_handles_at(&pool, (tn_handle){0}) == NULL;
}
