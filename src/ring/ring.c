#include <tenure/ring.h>

#include <string.h>

#include "event/event.h"
#include "os/os.h"
#include "vm/vm.h"

#define RING_ROUND(size) tni_round_up(size, (size_t)TN_ALIGN)

static unsigned char *
ring_end(const tn_ring *ring)
{
  return ring->base + ring->size;
}

static size_t
ring_room(const tn_ring *ring)
{
  return ~ring->not_room;
}

/* Where the next block begins. */
static unsigned char *
ring_tail(const tn_ring *ring)
{
  return ring->limit - 1 - ring_room(ring);
}

/* The next block begins at tail, and all that is free after it is room. */
static void
ring_set_tail(tn_ring *ring, const unsigned char *tail)
{
  unsigned char *const end = ring->is_wrapped ? ring->head : ring_end(ring);
  ring->limit = end + 1;
  ring->not_room = ~(size_t)(end - tail);
}

static bool
ring_is_valid(const tn_ring *ring)
{
  const unsigned char *const end = ring_end(ring);
  const unsigned char *const tail = ring_tail(ring);
  const bool is_in = ring->base <= ring->head && ring->head <= end &&
                     ring->base <= tail && tail <= end;
  if (!is_in || ring->turn > end)
    return false;
  if (ring->is_wrapped)
    return tail < ring->limit && ring->limit <= ring->head + 1;
  return ring->head <= tail && ring->turn == end && ring->limit == end + 1;
}

/* ---- Life ---------------------------------------------------------------- */

static tni_block_info
ring_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t size = (size_t)(region->high - region->low);
  const size_t offset = tni_address(p) - tni_address(region->low);
  return (tni_block_info){region->low, size, false, offset < size};
}

static const tni_owner_ops ring_ops = {"ring", ring_find_block};

/* All free. */
static void
ring_begin(tn_ring *ring)
{
  ring->head = ring->base;
  ring->turn = ring_end(ring);
  ring->is_wrapped = false;
  ring_set_tail(ring, ring->base);
}

/* Forbid or permit all of it, the second view as well. */
static void
ring_forbid(const tn_ring *ring, bool is_forbidden)
{
  if (TN_DEBUG == 0)
    return;
  const size_t size = ring->is_mapped ? 2 * ring->size : ring->size;
  if (is_forbidden)
    tni_annotate_take(ring->base, size);
  else
    tni_annotate_give_defined(ring->base, size);
}

/* Make the region's two halves views of one memory. */
static tn_status
ring_map_twice(const tni_region *region, size_t size)
{
  int handle;
  tn_status status = tni_os_shared_open(size, &handle);
  if (status != TN_OK)
    return status;
  status = tni_os_alias(handle, 0, region->low, size);
  if (status == TN_OK)
    status = tni_os_alias(handle, 0, region->low + size, size);
  (void)tni_os_shared_close(handle);
  return status;
}

tn_status
tn_ring_create(tn_ring *ring, size_t size, const tn_ring_options *options)
{
  TNI_VM_REQUIRE(size > 0, "ring.size", "a ring of 0 bytes");
  const tni_os_config *const config = tni_os_get_config();
  const bool is_mapped = config->can_alias;
  size_t rounded, reserved;
  if (!tni_round_up_checked(size, config->page_size, &rounded) ||
      !tn_size_mul(rounded, is_mapped ? 2 : 1, &reserved))
    return TN_ERANGE;
  const tni_region_options how = {
      .size = reserved,
      .initial = is_mapped ? 0 : rounded,
      .commit = TNI_COMMIT_ASK,
      .ops = &ring_ops,
      .name = options ? options->name : NULL,
  };
  tn_status status;
  tni_region *const region = tni_region_create(&how, &status);
  if (region == NULL)
    return status;
  if (is_mapped && (status = ring_map_twice(region, rounded)) != TN_OK) {
    tni_region_destroy(region);
    return status;
  }
  *ring = (tn_ring){.base = region->low,
                    .size = rounded,
                    .is_mapped = is_mapped,
                    .region = region};
  ring_begin(ring);
  ring_forbid(ring, true);
  return TN_OK;
}

tn_status
tn_ring_over(tn_ring *ring, void *buffer, size_t size)
{
  const size_t skip = -tni_address(buffer) & (TN_ALIGN - 1);
  if (size < skip + TN_ALIGN)
    return TN_ENOMEM;
  *ring = (tn_ring){
      .base = (unsigned char *)buffer + skip,
      .size = tni_round_down(size - skip, (size_t)TN_ALIGN),
  };
  ring_begin(ring);
  ring_forbid(ring, true);
  return TN_OK;
}

void
tn_ring_destroy(tn_ring *ring)
{
  TN_CHECK(ring_is_valid(ring), "ring.order");
  ring_forbid(ring, false);
  if (ring->region)
    tni_region_destroy(ring->region);
  *ring = (tn_ring){.size = 0};
}

void
tn_ring_reset(tn_ring *ring)
{
  TN_CHECK(ring_is_valid(ring), "ring.order");
  if (TN_DEBUG >= 1)
    tni_event_say(TN_EVENT_RESET, "ring", ring, ring->head, tn_ring_used(ring));
  ring_begin(ring);
  ring_forbid(ring, true);
}

/* ---- Questions ----------------------------------------------------------- */

size_t
tn_ring_used(const tn_ring *ring)
{
  const unsigned char *const tail = ring_tail(ring);
  return ring->is_wrapped ? ring->size - (size_t)(ring->head - tail)
                          : (size_t)(tail - ring->head);
}

size_t
tn_ring_largest(const tn_ring *ring)
{
  const size_t used = tn_ring_used(ring);
  if (ring->is_mapped || used == 0 || ring->is_wrapped)
    return ring->size - used;
  return tni_max(ring_room(ring), (size_t)(ring->head - ring->base));
}

/* ---- Push ---------------------------------------------------------------- */

void *
tni_ring_push_slow(tn_ring *ring, size_t size)
{
  TN_CHECK(ring_is_valid(ring), "ring.room");
  if (ring_tail(ring) == ring->head && !ring->is_wrapped)
    ring_begin(ring);  // empty: all of it is in front of tail
  if (size == 0 || size > tn_ring_largest(ring)) {
    tni_event_say(TN_EVENT_EXHAUSTED, "ring", ring, ring_tail(ring), size);
    return NULL;
  }
  const size_t rounded = RING_ROUND(size);
  unsigned char *block = ring_tail(ring);
  const size_t before_end = (size_t)(ring_end(ring) - block);
  if (ring->is_wrapped || rounded <= before_end) {
    ring_set_tail(ring, block + rounded);
  } else if (ring->is_mapped && before_end > 0) {
    /* It goes on in the second view: [ring.whole]. */
    ring->is_wrapped = true;
    ring_set_tail(ring, ring->base + (rounded - before_end));
  } else {
    /* What is before the end stays unused until head has passed it. */
    ring->is_wrapped = true;
    ring->turn = block;
    block = ring->base;
    ring_set_tail(ring, block + rounded);
  }
  TN_CHECK(ring_is_valid(ring), "ring.order");
  return block;
}

void *
tni_ring_push_debug(tn_ring *ring, size_t size)
{
  void *const block = tni_ring_push_slow(ring, size);
  if (block == NULL)
    return NULL;
  tni_annotate_give(block, size);
  memset(block, 0xcd, size);
  tni_annotate_give(block, size);
  tni_event_say(TN_EVENT_PUSH, "ring", ring, block, size);
  return block;
}

/* ---- Pop ----------------------------------------------------------------- */

void
tni_ring_turn(tn_ring *ring)
{
  unsigned char *const end = ring_end(ring);
  /* A block in both views ends beyond the end. */
  const size_t beyond = ring->head > end ? (size_t)(ring->head - end) : 0;
  if (!ring->is_wrapped) {
    ring_begin(ring);  // nothing is live
    return;
  }
  const unsigned char *const tail = ring_tail(ring);
  ring->head = ring->base + beyond;
  ring->turn = end;
  ring->is_wrapped = false;
  ring_set_tail(ring, tail);
  TN_CHECK(ring_is_valid(ring), "ring.order");
}

static TN_COLD TN_NORETURN void
ring_say(const tn_ring *ring, const char *tag, const void *block,
         const void *wanted, size_t size)
{
  char text[200];
  if (block == wanted)
    tni_format(text, sizeof text,
               "block %p is given back with %zu bytes: only %zu are live",
               block, size, tn_ring_used(ring));
  else
    tni_format(text, sizeof text,
               "block %p is given back: the one in turn is %p", block, wanted);
  tn_contract_broken(tag, text, __FILE__, __LINE__);
}

/* By [ring.oldest]. */
void
tni_ring_check_pop(const tn_ring *ring, const void *block, size_t size)
{
  if (block != ring->head || size == 0 || size > tn_ring_used(ring))
    ring_say(ring, "ring.oldest", block, ring->head, size);
}

void
tni_ring_pop_debug(tn_ring *ring, void *block, size_t size)
{
  tni_ring_check_pop(ring, block, size);
  const size_t rounded = RING_ROUND(size);
  memset(block, 0xdd, size);
  tni_annotate_take(block, rounded);
  ring->head += rounded;
  if (ring->head >= ring->turn)
    tni_ring_turn(ring);
  tni_event_say(TN_EVENT_FREE, "ring", ring, block, size);
}

/* Where the newest block of that size begins; NULL when it cannot be. */
static unsigned char *
ring_newest(const tn_ring *ring, size_t size)
{
  unsigned char *const tail = ring_tail(ring);
  const size_t after_start = (size_t)(tail - ring->base);
  if (size == 0 || size > tn_ring_used(ring))
    return NULL;
  const size_t rounded = RING_ROUND(size);
  if (!ring->is_wrapped || after_start >= rounded)
    return tail - rounded;
  if (ring->is_mapped && ring->turn == ring_end(ring))
    return ring_end(ring) - (rounded - after_start);
  const bool fits = rounded <= (size_t)(ring->turn - ring->head);
  return after_start == 0 && fits ? ring->turn - rounded : NULL;
}

/* By [ring.newest]. */
void
tn_ring_drop(tn_ring *ring, void *block, size_t size)
{
  TN_CHECK(ring_is_valid(ring), "ring.order");
  unsigned char *const newest = ring_newest(ring, size);
  if (newest == NULL || block != newest) {
    if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
      ring_say(ring, "ring.newest", block, newest, size);
    return;
  }
  if (TN_DEBUG >= 1) {
    memset(block, 0xdd, size);
    tni_annotate_take(block, RING_ROUND(size));
    tni_event_say(TN_EVENT_FREE, "ring", ring, block, size);
  }
  if (newest > ring_tail(ring) || (ring->is_wrapped && newest >= ring->head)) {
    ring->is_wrapped = false;  // it was before the end, or across it
    ring->turn = ring_end(ring);
  }
  ring_set_tail(ring, newest);
  TN_CHECK(ring_is_valid(ring), "ring.room");
}
