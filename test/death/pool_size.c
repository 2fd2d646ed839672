/* death: SIGABRT "[pool.size] a pool of blocks of 0 bytes" modes: debug harden */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool;
  return tn_pool_create(&pool, 0, NULL) == TN_OK;
}
