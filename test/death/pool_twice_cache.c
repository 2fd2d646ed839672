/* death: SIGABRT "[pool.twice] block" modes: debug */
#include <tenure/pool.h>

static bool
construct(void *object, void *argument)
{
  (void)object, (void)argument;
  return true;
}

int
main(void)
{
  static const tn_cache_ops ops = {construct, NULL, NULL};
  tn_cache cache;
  if (tn_cache_create(&cache, 24, &ops, NULL))
    return 1;
  void *const a = tn_cache_alloc(&cache);
  void *const b = tn_cache_alloc(&cache);
  tn_cache_free(&cache, a);
  tn_cache_free(&cache, b);
  tn_cache_free(&cache, a);
  return 0;
}
