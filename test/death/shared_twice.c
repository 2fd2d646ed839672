/* death: SIGABRT "[shared.twice] block" modes: debug harden */
#include <tenure/shared.h>

int
main(void)
{
  tn_shared *pool;
  if (tn_shared_create(&pool, 8, NULL))
    return 1;
  void *const a = tn_shared_alloc(pool), *const b = tn_shared_alloc(pool);
  tn_shared_free(pool, a);
  tn_shared_free(pool, b);
  tn_shared_free(pool, a);
  return 0;
}
