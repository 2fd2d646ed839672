/* death: SIGABRT "[pool.align] the alignment of blocks is no power of two" modes: debug harden */
#include <tenure/pool.h>

int
main(void)
{
  tn_pool pool;
  return tn_pool_create(&pool, 8, &(tn_pool_options){.align = 24}) == TN_OK;
}
