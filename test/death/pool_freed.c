/* death: SIGABRT "was written to at offset 20 after it was freed" modes: debug */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool;
  if (tn_pool_create(&pool, 32, NULL))
    return 1;
  char *const block = tn_pool_alloc(&pool);
  tn_pool_free(&pool, block);
  block[20] = 1;
  return tn_pool_alloc(&pool) == NULL;
}
