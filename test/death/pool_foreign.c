/* death: SIGABRT "is freed into pool nodes: it is no block of this pool" modes: debug harden */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool, other;
  if (tn_pool_create(&pool, 32, &(tn_pool_options){.name = "nodes"}) ||
      tn_pool_create(&other, 32, NULL))
    return 1;
  void *const mine = tn_pool_alloc(&pool);
  tn_pool_free(&pool, mine);
  tn_pool_free(&pool, tn_pool_alloc(&other));
  return 0;
}
