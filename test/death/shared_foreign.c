/* death: SIGABRT "[shared.foreign] " modes: debug harden */
#include <tenure/shared.h>

int
main(void)
{
  tn_shared *pool;
  if (tn_shared_create(&pool, 24, &(tn_shared_options){.name = "jobs"}))
    return 1;
  char *const block = tn_shared_alloc(pool);
  tn_shared_free(pool, block + 8);
  return 0;
}
