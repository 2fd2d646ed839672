#include "arena/arena.h"

static tn_arena *
provide_arena(tn_provider *provider)
{
  return (tn_arena *)(void *)((char *)provider - offsetof(tn_arena, provider));
}

/* Bytes of a block of size bytes that its owner may use. */
static size_t
provide_granted(size_t size)
{
  return TN_DEBUG >= 1 ? size : tni_round_up(size, (size_t)TN_ALIGN);
}

static tn_block
provide_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_arena *const a = provide_arena(provider);
  void *const p = tn_arena_try_aligned(a, size, align);
  if (p == NULL)
    return (tn_block){NULL, 0, false};
  return (tn_block){p, provide_granted(size), a->zero};
}

static size_t
provide_resize(tn_provider *provider, void *pointer, size_t size,
               size_t new_size, size_t align)
{
  (void)align;
  if (!tn_arena_resize(provide_arena(provider), pointer, size, new_size))
    return 0;
  return provide_granted(new_size);
}

tn_provider
tni_arena_make_provider(const char *name)
{
  return (tn_provider){.allocate = provide_allocate,
                       .resize = provide_resize,
                       .capabilities = TN_PROVIDER_RESIZE,
                       .name = name ? name : "arena"};
}
