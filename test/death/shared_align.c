/* death: SIGABRT "[shared.align] the alignment of blocks is no power of two" modes: debug harden */
#include <tenure/shared.h>

int
main(void)
{
  tn_shared *pool;
  return tn_shared_create(&pool, 8, &(tn_shared_options){.align = 7}) == TN_OK;
}
