/* death: SIGABRT "[pool.twice] block" modes: debug harden */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool;
  if (tn_pool_create(&pool, 32, &(tn_pool_options){.name = "nodes"}))
    return 1;
  void *const a = tn_pool_alloc(&pool);
  void *const b = tn_pool_alloc(&pool);
  tn_pool_free(&pool, a);
  tn_pool_free(&pool, b);
  tn_pool_free(&pool, a);
  return 0;
}
