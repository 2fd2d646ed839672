#include <string.h>

#include "arena/arena.h"
#include "event/event.h"

#define ARENA_FRESH 0xcd

/* Filling all of a large block would touch what its owner never does. */
#define ARENA_FILL_MOST TNI_KIB(64)

void *
tni_arena_push_tracked(tn_arena *a, size_t size, size_t align, bool must)
{
  size_t need;
  TNI_ALLOCATES(TNI_RETURN_ADDRESS);
  tni_arena_check_owner(a);
  if (!tn_size_add(size, TNI_ARENA_ZONE, &need))
    need = SIZE_MAX;
  unsigned char *const p = tni_arena_take(a, need, align);
  if (p == NULL)
    return tni_arena_refill(a, size, align, must);
  tni_annotate_give(p, size);
  if (a->zero)
    tni_annotate_give_defined(p, size);
  else
    memset(p, ARENA_FRESH, tni_min(size, ARENA_FILL_MOST));
  tni_event_say(TN_EVENT_PUSH, "arena", a, p, size);
  return p;
}
