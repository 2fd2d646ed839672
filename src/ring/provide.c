#include <tenure/ring.h>

#include <string.h>

#include "base/base.h"

/* Before each block, and at the start of what was pushed for it. */
typedef struct ring_head {
  size_t total;   // bytes pushed; 0 when this is not the start
  uint32_t back;  // bytes from the start to this
  uint32_t state;
} ring_head;

enum { RING_LIVE = 0x4c495645, RING_FREED = 0x46524545 };

_Static_assert(sizeof(ring_head) <= TN_ALIGN, "a head takes one unit");

static tn_block
ring_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_ring *const ring = ((tn_ring_provider *)provider)->ring;
  const size_t more = align > TN_ALIGN ? align - TN_ALIGN : 0;
  size_t total;
  if (!tn_size_add(size, TN_ALIGN + more, &total) ||
      !tni_round_up_checked(total, TN_ALIGN, &total) || total > UINT32_MAX)
    return (tn_block){NULL, 0, false};
  unsigned char *const start = tn_ring_push(ring, total);
  if (start == NULL)
    return (tn_block){NULL, 0, false};
  const size_t skip =
      -(tni_address(start) + TN_ALIGN) & (tni_max(align, TN_ALIGN) - 1);
  ring_head head = {total, 0, RING_LIVE};
  memcpy(start, &head, sizeof head);
  if (skip > 0) {
    head = (ring_head){0, (uint32_t)skip, RING_LIVE};
    memcpy(start + skip, &head, sizeof head);
  }
  return (tn_block){start + skip + TN_ALIGN, total - skip - TN_ALIGN, false};
}

/* The head of a block, and where what was pushed for it starts. */
static ring_head
ring_head_of(void *pointer, unsigned char **start)
{
  unsigned char *const at = (unsigned char *)pointer - TN_ALIGN;
  ring_head head;
  memcpy(&head, at, sizeof head);
  TN_REQUIRE(head.state == RING_LIVE, "ring.live",
             "what is given back to a ring is no live block of it");
  *start = at - head.back;
  return head;
}

static void
ring_provider_free(tn_provider *provider, void *pointer, size_t size,
                   size_t align)
{
  tn_ring *const ring = ((tn_ring_provider *)provider)->ring;
  unsigned char *start;
  (void)size, (void)align;
  ring_head head = ring_head_of(pointer, &start);
  head.state = RING_FREED;
  memcpy((unsigned char *)pointer - TN_ALIGN, &head, sizeof head);
  memcpy(&head, start, sizeof head);
  head.state = RING_FREED;
  memcpy(start, &head, sizeof head);
  while (tn_ring_used(ring) > 0) {
    memcpy(&head, tn_ring_oldest(ring), sizeof head);
    if (head.state != RING_FREED)
      break;
    tn_ring_pop(ring, tn_ring_oldest(ring), head.total);
  }
}

static size_t
ring_provider_resize(tn_provider *provider, void *pointer, size_t size,
                     size_t new_size, size_t align)
{
  unsigned char *start;
  (void)provider, (void)size, (void)align;
  const ring_head head = ring_head_of(pointer, &start);
  ring_head first;
  memcpy(&first, start, sizeof first);
  const size_t granted = first.total - head.back - TN_ALIGN;
  return new_size <= granted ? granted : 0;
}

tn_ring_provider
tn_ring_provide(tn_ring *ring)
{
  return (tn_ring_provider){
      {.allocate = ring_provider_allocate,
       .free = ring_provider_free,
       .resize = ring_provider_resize,
       .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
       .name = "ring"},
      ring};
}
