/* death: SIGABRT "[handles.size] a pool of objects of 0 bytes" modes: debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  return tn_handles_create(&pool, 0, NULL) == TN_OK;
}
