/* death: SIGABRT "it is inside a block, not its start" modes: debug harden */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool;
  if (tn_pool_create(&pool, 32, NULL))
    return 1;
  char *const block = tn_pool_alloc(&pool);
  tn_pool_free(&pool, block + 8);
  return 0;
}
