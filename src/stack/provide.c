/* provide.c -- a stack as a provider; see <tenure/stack.h> */
#include "stack/stack.h"

/* Blocks are whole multiples of TN_ALIGN, so that from any size between the
 * one asked and the one granted the end is known. */
static tn_block
stack_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_stack *const s = ((tn_stack_provider *)provider)->stack;
  size_t granted;
  if (!tni_round_up_checked(size, TN_ALIGN, &granted))
    return (tn_block){NULL, 0, false};
  void *const p = tn_stack_alloc(s, granted, tni_max(align, TN_ALIGN));
  return (tn_block){p, p ? granted : 0, false};
}

static void
stack_provider_free(tn_provider *provider, void *pointer, size_t size,
                    size_t align)
{
  (void)provider, (void)pointer, (void)size, (void)align;
}

static size_t
stack_provider_resize(tn_provider *provider, void *pointer, size_t size,
                      size_t new_size, size_t align)
{
  tn_stack *const s = ((tn_stack_provider *)provider)->stack;
  const size_t old = tni_round_up(size, TN_ALIGN);
  size_t new;
  (void)align;
  if (!tni_round_up_checked(new_size, TN_ALIGN, &new))
    return 0;
  if (new == old)
    return old;
  if ((unsigned char *)pointer + old != s->cursor)
    return new < old ? old : 0;
  if (new > old)
    return tn_stack_alloc(s, new - old, 1) ? new : 0;
  s->cursor -= old - new;
  tni_stack_take(s->cursor, old - new);
  return new;
}

tn_stack_provider
tn_stack_provide(tn_stack *s)
{
  return (tn_stack_provider){{.allocate = stack_provider_allocate,
                              .free = stack_provider_free,
                              .resize = stack_provider_resize,
                              .capabilities = TN_PROVIDER_RESIZE,
                              .name = "stack"},
                             s};
}
