/* death: SIGABRT "is freed twice" modes: debug harden */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool;
  if (tn_pool_create(&pool, 8, NULL))
    return 1;
  void *const a = tn_pool_alloc(&pool);
  tn_pool_free(&pool, a);
  tn_pool_free(&pool, a);
  return 0;
}
