#include "pool/pool.h"

static tn_block
pool_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_pool *const pool = ((tn_pool_provider *)provider)->pool;
  if (size > pool->size || tni_max(align, TN_ALIGN) > pool->align)
    return (tn_block){NULL, 0, false};
  void *const block = tn_pool_alloc(pool);
  return (tn_block){block, block ? pool->size : 0, false};
}

static void
pool_provider_free(tn_provider *provider, void *pointer, size_t size,
                   size_t align)
{
  (void)size, (void)align;
  tn_pool_free(((tn_pool_provider *)provider)->pool, pointer);
}

static size_t
pool_provider_resize(tn_provider *provider, void *pointer, size_t size,
                     size_t new_size, size_t align)
{
  const tn_pool *const pool = ((tn_pool_provider *)provider)->pool;
  (void)pointer, (void)size, (void)align;
  return new_size <= pool->size ? pool->size : 0;
}

tn_pool_provider
tn_pool_provide(tn_pool *pool)
{
  return (tn_pool_provider){
      {.allocate = pool_provider_allocate,
       .free = pool_provider_free,
       .resize = pool_provider_resize,
       .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
       .name = pool->name ? pool->name : "pool"},
      pool};
}
