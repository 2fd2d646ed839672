#include "bump/bump.h"

/* Both disciplines give nothing back singly and never resize. */
static void
bump_provider_free(tn_provider *provider, void *pointer, size_t size,
                   size_t align)
{
  (void)provider, (void)pointer, (void)size, (void)align;
}

static size_t
bump_provider_resize(tn_provider *provider, void *pointer, size_t size,
                     size_t new_size, size_t align)
{
  (void)provider, (void)pointer, (void)size, (void)new_size, (void)align;
  return 0;
}

/* What a try for size gave, as the answer of a provider. */
static tn_block
bump_provider_answer(void *pointer, size_t size)
{
  const size_t granted =
      TN_DEBUG >= 1 ? size : tni_round_up(size, (size_t)TN_ALIGN);
  return (tn_block){pointer, pointer ? granted : 0, false};
}

static tn_block
bump_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_bump *const b = ((tn_bump_provider *)provider)->bump;
  if (size > UINT32_MAX || align > UINT32_MAX)
    return (tn_block){NULL, 0, false};
  return bump_provider_answer(
      tn_bump_try_aligned(b, (uint32_t)size, (uint32_t)align), size);
}

static tn_block
bump_checked_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_checked *const c = ((tn_checked_provider *)provider)->checked;
  if (size > UINT32_MAX || align > UINT32_MAX)
    return (tn_block){NULL, 0, false};
  return bump_provider_answer(
      tn_checked_try_aligned(c, (uint32_t)size, (uint32_t)align), size);
}

tn_bump_provider
tn_bump_provide(tn_bump *b)
{
  return (tn_bump_provider){{.allocate = bump_provider_allocate,
                             .free = bump_provider_free,
                             .resize = bump_provider_resize,
                             .capabilities = 0,
                             .name = "bump"},
                            b};
}

tn_checked_provider
tn_checked_provide(tn_checked *c)
{
  return (tn_checked_provider){{.allocate = bump_checked_allocate,
                                .free = bump_provider_free,
                                .resize = bump_provider_resize,
                                .capabilities = 0,
                                .name = "checked"},
                               c};
}
