/* death: SIGABRT "[handles.stale] handle 0xf8000000 is freed in pool" modes: debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  if (tn_handles_create(&pool, 8,
                        &(tn_handles_options){.most = 1, .tag_bits = 26}))
    return 1;
  tn_handle h = {0};
  for (tn_handle next = tn_handles_alloc(&pool, NULL); next.bits != 0;
       next = tn_handles_alloc(&pool, NULL)) {
    h = next;
    tn_handles_free(&pool, h);
  }
  tn_handles_free(&pool, h);
  return 0;
}
