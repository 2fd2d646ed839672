#include "provider/provider.h"

static bool
fixed_is_valid(const tn_fixed *fixed)
{
  return fixed->last <= fixed->cursor && fixed->cursor <= fixed->end;
}

/* The cursor only moves over what is free [provider.live], and only when all
 * is well [provider.same].  Nothing is promised to be zero, and nothing
 * granted beyond what is asked: [provider.zero] and [provider.grant]. */
static tn_block
fixed_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_fixed *const fixed = (tn_fixed *)provider;
  TN_CHECK(fixed_is_valid(fixed), "source.order");
  const size_t to_align =
      -tni_address(fixed->cursor) & (tni_max(align, TN_ALIGN) - 1);
  const size_t room = (size_t)(fixed->end - fixed->cursor);
  if (to_align > room || size > room - to_align)
    return (tn_block){NULL, 0, false};
  fixed->last = fixed->cursor + to_align;
  fixed->cursor = fixed->last + size;
  return (tn_block){fixed->last, size, false};
}

static size_t
fixed_resize(tn_provider *provider, void *pointer, size_t size, size_t new_size,
             size_t align)
{
  tn_fixed *const fixed = (tn_fixed *)provider;
  (void)size;
  (void)align;
  TN_CHECK(fixed_is_valid(fixed), "source.order");
  if (pointer != fixed->last || new_size > (size_t)(fixed->end - fixed->last))
    return 0;
  fixed->cursor = fixed->last + new_size;
  return new_size;
}

void
tn_fixed_init(tn_fixed *fixed, void *buffer, size_t size)
{
  unsigned char *const begin = buffer;
  *fixed = (tn_fixed){
      .provider = {.allocate = fixed_allocate,
                   .resize = fixed_resize,
                   .capabilities = TN_PROVIDER_RESIZE,
                   .name = "fixed"},
      .cursor = begin,
      .last = begin,
      .end = begin + size,
  };
}
