/* death: SIGABRT "[shared.size] a shared pool of blocks of 0 bytes" modes: debug harden */
#include <tenure/shared.h>

int
main(void)
{
  tn_shared *pool;
  return tn_shared_create(&pool, 0, NULL) == TN_OK;
}
