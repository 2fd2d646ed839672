#include <tenure/buddy.h>

#include <string.h>

#include "base/base.h"
#include "event/event.h"

/* A byte of the table: 0 within a block, else what begins there. */
enum { BUDDY_ORDER = 31, BUDDY_LIVE = 0x40, BUDDY_FREE = 0x80 };
enum { BUDDY_LEAST = 64, BUDDY_LEAST_LOG2_OF_LINK = 3 };
#define BUDDY_NONE       UINT32_MAX
#define BUDDY_UNITS_MOST (UINT64_C(1) << 31)

/* A broken contract: a line and the end, or TN_EINVAL where checks are off. */
#define TNI_BUDDY_REQUIRE(cond, tag, text)                                     \
  do {                                                                         \
    TN_REQUIRE(cond, tag, text);                                               \
    if (TN_UNLIKELY(!(cond)))                                                  \
      return TN_EINVAL;                                                        \
  } while (0)

/* Neighbours in the list of free blocks of one order. */
typedef struct buddy_link {
  uint32_t next, previous;  // BUDDY_NONE at the ends
} buddy_link;

/* ---- Lists --------------------------------------------------------------- */

/* A free block's memory is forbidden in debug builds; its link is in it. */
static buddy_link
buddy_get(const tn_buddy *buddy, uint32_t unit)
{
  const unsigned char *const at =
      buddy->links + ((size_t)unit << buddy->link_log2);
  buddy_link link;
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(at, sizeof link);
  memcpy(&link, at, sizeof link);
  if (TN_DEBUG >= 1 && buddy->base)
    tni_annotate_take(at, sizeof link);
  return link;
}

static void
buddy_put(const tn_buddy *buddy, uint32_t unit, buddy_link link)
{
  unsigned char *const at = buddy->links + ((size_t)unit << buddy->link_log2);
  if (TN_DEBUG >= 1)
    tni_annotate_give(at, sizeof link);
  memcpy(at, &link, sizeof link);
  if (TN_DEBUG >= 1 && buddy->base)
    tni_annotate_take(at, sizeof link);
}

/* A step: the block is free now. */
static void
buddy_enter(tn_buddy *buddy, uint32_t unit, unsigned order)
{
  const bool has_next = buddy->nonempty >> order & 1;
  const uint32_t next = has_next ? buddy->heads[order] : BUDDY_NONE;
  buddy_put(buddy, unit, (buddy_link){next, BUDDY_NONE});
  if (has_next) {
    buddy_link link = buddy_get(buddy, next);
    link.previous = unit;
    buddy_put(buddy, next, link);
  }
  buddy->heads[order] = unit;
  buddy->nonempty |= UINT32_C(1) << order;
  buddy->table[unit] = (unsigned char)(BUDDY_FREE | order);
  buddy->steps++;
}

/* A step: the block is no longer free. */
static void
buddy_take_out(tn_buddy *buddy, uint32_t unit, unsigned order)
{
  const buddy_link link = buddy_get(buddy, unit);
  if (link.next != BUDDY_NONE) {
    buddy_link next = buddy_get(buddy, link.next);
    next.previous = link.previous;
    buddy_put(buddy, link.next, next);
  }
  if (link.previous != BUDDY_NONE) {
    buddy_link previous = buddy_get(buddy, link.previous);
    previous.next = link.next;
    buddy_put(buddy, link.previous, previous);
  } else if (link.next != BUDDY_NONE) {
    buddy->heads[order] = link.next;
  } else {
    buddy->nonempty &= ~(UINT32_C(1) << order);
  }
  buddy->table[unit] = 0;
  buddy->steps++;
}

/* ---- Units --------------------------------------------------------------- */

/* The other half of the block that a block of that order is a half of; may be
 * no unit of the span. */
static uint64_t
buddy_other(const tn_buddy *buddy, uint32_t unit, unsigned order)
{
  return ((buddy->first + unit) ^ UINT64_C(1) << order) - buddy->first;
}

static bool
buddy_is_free(const tn_buddy *buddy, uint64_t unit, unsigned order)
{
  return unit < buddy->units && buddy->table[unit] == (BUDDY_FREE | order);
}

/* The order of the blocks that hold size bytes; TN_BUDDY_ORDERS for none. */
static unsigned
buddy_order(const tn_buddy *buddy, uint64_t size)
{
  if (size > (uint64_t)buddy->units << buddy->least_log2)
    return TN_BUDDY_ORDERS;
  const uint64_t units = size == 0 ? 1 : ((size - 1) >> buddy->least_log2) + 1;
  return units == 1 ? 0 : 64 - (unsigned)__builtin_clzll(units - 1);
}

static size_t
buddy_bytes(const tn_buddy *buddy, unsigned order)
{
  return (size_t)1 << (order + buddy->least_log2);
}

/* A walk of all blocks. */
static bool
buddy_is_valid(const tn_buddy *buddy)
{
  uint64_t unit = 0;
  while (unit < buddy->units) {
    const unsigned char what = buddy->table[unit];
    const unsigned order = what & BUDDY_ORDER;
    if (what == 0 ||
        ((buddy->first + unit) & ((UINT64_C(1) << order) - 1)) != 0)
      return false;
    if ((what & BUDDY_FREE) &&
        buddy_is_free(buddy, buddy_other(buddy, (uint32_t)unit, order), order))
      return false;
    unit += UINT64_C(1) << order;
  }
  return unit == buddy->units;
}

/* ---- Blocks -------------------------------------------------------------- */

/* The unit of a new block, or BUDDY_NONE. */
static uint32_t
buddy_allocate(tn_buddy *buddy, unsigned order)
{
  TN_CHECK_SLOW(buddy_is_valid(buddy), "buddy.tile");
  const uint32_t fitting =
      order < TN_BUDDY_ORDERS ? buddy->nonempty >> order << order : 0;
  if (fitting == 0) {
    tni_event_say(TN_EVENT_EXHAUSTED, "buddy", buddy, buddy->base, 0);
    return BUDDY_NONE;
  }
  unsigned from = (unsigned)__builtin_ctz(fitting);
  const uint32_t unit = buddy->heads[from];
  buddy_take_out(buddy, unit, from);
  while (from > order) {
    from--;
    buddy_enter(buddy, unit + (UINT32_C(1) << from), from);
  }
  buddy->table[unit] = (unsigned char)(BUDDY_LIVE | order);
  return unit;
}

/* Make a live block free, with all that it can be joined with: [buddy.merge]. */
static void
buddy_release(tn_buddy *buddy, uint32_t unit)
{
  unsigned order = buddy->table[unit] & BUDDY_ORDER;
  for (;; order++) {
    const uint64_t other = buddy_other(buddy, unit, order);
    if (!buddy_is_free(buddy, other, order))
      break;
    buddy_take_out(buddy, (uint32_t)other, order);
    buddy->table[unit] = 0;
    unit = other < unit ? (uint32_t)other : unit;
  }
  buddy_enter(buddy, unit, order);
  TN_CHECK_SLOW(buddy_is_valid(buddy), "buddy.tile");
}

/* The block that a unit is within. */
static uint32_t
buddy_containing(const tn_buddy *buddy, uint32_t unit)
{
  for (unsigned order = 0; order < TN_BUDDY_ORDERS; order++) {
    const uint64_t start = (buddy->first + unit) >> order << order;
    if (start < buddy->first)
      break;
    const uint64_t at = start - buddy->first;
    if (buddy->table[at] != 0)
      return (uint32_t)at;
  }
  return BUDDY_NONE;
}

TN_COLD TN_NORETURN static void
buddy_say(const tn_buddy *buddy, uint64_t address, uint64_t unit)
{
  const bool is_unit = unit < buddy->units;
  const uint32_t in =
      is_unit ? buddy_containing(buddy, (uint32_t)unit) : BUDDY_NONE;
  const bool is_free = in != BUDDY_NONE && (buddy->table[in] & BUDDY_FREE);
  char text[200];
  tni_format(text, sizeof text, "0x%zx is given back: it is %s",
             (size_t)address,
             is_free   ? "free already"
             : is_unit ? "inside a block, not its start"
                       : "not in the span");
  tn_contract_broken(is_free ? "buddy.twice" : "buddy.foreign", text, __FILE__,
                     __LINE__);
}

/* The unit of the live block at an address; BUDDY_NONE, where checks are off,
 * for what is none. */
static uint32_t
buddy_find(const tn_buddy *buddy, uint64_t address)
{
  const uint64_t unit = (address >> buddy->least_log2) - buddy->first;
  const bool is_start =
      (address & ((UINT64_C(1) << buddy->least_log2) - 1)) == 0;
  if (TN_LIKELY(is_start && unit < buddy->units &&
                (buddy->table[unit] & BUDDY_LIVE)))
    return (uint32_t)unit;
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
    buddy_say(buddy, address, unit);
  return BUDDY_NONE;
}

/* ---- Life ---------------------------------------------------------------- */

/* All units are free, in the largest blocks that their places allow. */
static void
buddy_begin(tn_buddy *buddy)
{
  memset(buddy->table, 0, buddy->units);
  for (uint32_t unit = 0; unit < buddy->units;) {
    const uint64_t place = buddy->first + unit;
    const unsigned room = tni_log2_floor(buddy->units - unit);
    const unsigned order =
        place == 0 ? room
                   : (unsigned)tni_min(room, (unsigned)__builtin_ctzll(place));
    buddy_enter(buddy, unit, order);
    unit += UINT32_C(1) << order;
  }
  buddy->steps = 0;
  TN_CHECK_SLOW(buddy_is_valid(buddy), "buddy.merge");
}

tn_status
tn_buddy_over(tn_buddy *buddy, void *buffer, size_t size, size_t least)
{
  if (least == 0)
    least = BUDDY_LEAST;
  TNI_BUDDY_REQUIRE(tn_is_power_of_two(least) && least >= TN_ALIGN,
                    "buddy.least",
                    "the smallest block is no power of two from 16 on");
  unsigned char *const begin = buffer;
  /* Units that fit together with their table and what aligning them takes. */
  size_t units = size / (least + 1), skip = 0;
  for (; units > 0; units--) {
    skip = units + (-(tni_address(begin) + units) & (least - 1));
    if (skip <= size && units * least <= size - skip)
      break;
  }
  if (units == 0)
    return TN_ENOMEM;
  if (units >= BUDDY_UNITS_MOST)
    return TN_ERANGE;
  const unsigned log2 = tni_log2_floor(least);
  *buddy = (tn_buddy){
      .table = begin,
      .links = begin + skip,
      .base = begin + skip,
      .first = tni_address(begin + skip) >> log2,
      .units = (uint32_t)units,
      .least_log2 = log2,
      .link_log2 = log2,
  };
  if (TN_DEBUG >= 1)
    tni_annotate_take(buddy->base, units * least);
  buddy_begin(buddy);
  return TN_OK;
}

void
tn_buddy_leave(tn_buddy *buddy)
{
  if (TN_DEBUG >= 1 && buddy->base)
    tni_annotate_give_defined(buddy->base,
                              (size_t)buddy->units << buddy->least_log2);
  *buddy = (tn_buddy){.units = 0};
}

size_t
tn_buddy_table_size(uint64_t size, uint64_t least)
{
  size_t bytes;
  if (least == 0 || size / least >= BUDDY_UNITS_MOST ||
      !tn_size_mul((size_t)(size / least), sizeof(buddy_link) + 1, &bytes))
    return 0;
  return bytes;
}

tn_status
tn_buddy_over_range(tn_buddy *buddy, void *table, uint64_t start, uint64_t size,
                    uint64_t least)
{
  TNI_BUDDY_REQUIRE(least != 0 && (least & (least - 1)) == 0, "buddy.least",
                    "the smallest block is no power of two");
  const uint64_t skip = -start & (least - 1);
  const uint64_t units = size < skip ? 0 : (size - skip) / least;
  if (units == 0)
    return TN_ENOMEM;
  if (units >= BUDDY_UNITS_MOST || start + skip < start ||
      units * least > UINT64_MAX - (start + skip))
    return TN_ERANGE;
  const unsigned log2 = (unsigned)__builtin_ctzll(least);
  *buddy = (tn_buddy){
      .links = table,
      .table = (unsigned char *)table + (size_t)units * sizeof(buddy_link),
      .first = (start + skip) >> log2,
      .units = (uint32_t)units,
      .least_log2 = log2,
      .link_log2 = BUDDY_LEAST_LOG2_OF_LINK,
  };
  buddy_begin(buddy);
  return TN_OK;
}

/* ---- The public half ----------------------------------------------------- */

static unsigned char *
buddy_pointer(const tn_buddy *buddy, uint32_t unit)
{
  return buddy->base + ((size_t)unit << buddy->least_log2);
}

void *
tn_buddy_alloc(tn_buddy *buddy, size_t size)
{
  const unsigned order = buddy_order(buddy, size);
  const uint32_t unit = buddy_allocate(buddy, order);
  if (unit == BUDDY_NONE)
    return NULL;
  unsigned char *const block = buddy_pointer(buddy, unit);
  if (TN_DEBUG >= 1) {
    tni_annotate_give(block, buddy_bytes(buddy, order));
    tni_event_say(TN_EVENT_PUSH, "buddy", buddy, block, size);
  }
  return block;
}

void
tn_buddy_free(tn_buddy *buddy, void *block)
{
  const uint32_t unit = buddy_find(buddy, tni_address(block));
  if (unit == BUDDY_NONE)
    return;
  if (TN_DEBUG >= 1) {
    const size_t size = buddy_bytes(buddy, buddy->table[unit] & BUDDY_ORDER);
    tni_annotate_take(block, size);
    tni_event_say(TN_EVENT_FREE, "buddy", buddy, block, size);
  }
  buddy_release(buddy, unit);
}

/* Whether the block can be of a larger order where it is: it is a first half,
 * again and again, and the second halves are free. */
static bool
buddy_can_grow(const tn_buddy *buddy, uint32_t unit, unsigned order,
               unsigned wanted)
{
  for (; order < wanted; order++) {
    const uint64_t other = buddy_other(buddy, unit, order);
    if (other < unit || !buddy_is_free(buddy, other, order))
      return false;
  }
  return true;
}

size_t
tn_buddy_resize(tn_buddy *buddy, void *block, size_t size)
{
  const uint32_t unit = buddy_find(buddy, tni_address(block));
  const unsigned wanted = buddy_order(buddy, size);
  if (unit == BUDDY_NONE || wanted == TN_BUDDY_ORDERS)
    return 0;
  unsigned order = buddy->table[unit] & BUDDY_ORDER;
  const size_t after = buddy_bytes(buddy, wanted);
  if (!buddy_can_grow(buddy, unit, order, wanted))
    return 0;
  if (TN_DEBUG >= 1)
    tni_annotate_take(block, buddy_bytes(buddy, order));
  for (; order < wanted; order++)
    buddy_take_out(buddy, unit + (UINT32_C(1) << order), order);
  while (order > wanted) {
    order--;
    buddy_enter(buddy, unit + (UINT32_C(1) << order), order);
  }
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(block, after);
  buddy->table[unit] = (unsigned char)(BUDDY_LIVE | wanted);
  TN_CHECK_SLOW(buddy_is_valid(buddy), "buddy.tile");
  return after;
}

bool
tn_buddy_take(tn_buddy *buddy, uint64_t size, uint64_t *address)
{
  const uint32_t unit = buddy_allocate(buddy, buddy_order(buddy, size));
  if (unit == BUDDY_NONE)
    return false;
  *address = (buddy->first + unit) << buddy->least_log2;
  return true;
}

void
tn_buddy_give(tn_buddy *buddy, uint64_t address)
{
  const uint32_t unit = buddy_find(buddy, address);
  if (unit != BUDDY_NONE)
    buddy_release(buddy, unit);
}

void
tn_buddy_walk(const tn_buddy *buddy,
              void (*visit)(void *argument, uint64_t address, uint64_t size),
              void *argument)
{
  for (uint64_t unit = 0; unit < buddy->units;) {
    const unsigned char what = buddy->table[unit];
    const uint64_t units = UINT64_C(1) << (what & BUDDY_ORDER);
    if (what & BUDDY_LIVE)
      visit(argument, (buddy->first + unit) << buddy->least_log2,
            units << buddy->least_log2);
    unit += units;
  }
}

tn_buddy_stats
tn_buddy_get_stats(const tn_buddy *buddy)
{
  tn_buddy_stats stats = {
      .size = (uint64_t)buddy->units << buddy->least_log2,
      .steps = buddy->steps,
  };
  for (uint64_t unit = 0; unit < buddy->units;) {
    const unsigned char what = buddy->table[unit];
    const uint64_t units = UINT64_C(1) << (what & BUDDY_ORDER);
    if (what & BUDDY_FREE) {
      stats.free_blocks++;
      stats.free += units << buddy->least_log2;
    } else {
      stats.live_blocks++;
    }
    unit += units;
  }
  if (buddy->nonempty)
    stats.largest_free =
        UINT64_C(1) << (tni_log2_floor(buddy->nonempty) + buddy->least_log2);
  return stats;
}

/* ---- As a provider ------------------------------------------------------- */

static tn_block
buddy_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_buddy *const buddy = ((tn_buddy_provider *)provider)->buddy;
  const size_t wanted = tni_max(size, align);
  void *const block = tn_buddy_alloc(buddy, wanted);
  if (block == NULL)
    return (tn_block){NULL, 0, false};
  return (tn_block){block, buddy_bytes(buddy, buddy_order(buddy, wanted)),
                    false};
}

static void
buddy_provider_free(tn_provider *provider, void *pointer, size_t size,
                    size_t align)
{
  (void)size, (void)align;
  tn_buddy_free(((tn_buddy_provider *)provider)->buddy, pointer);
}

static size_t
buddy_provider_resize(tn_provider *provider, void *pointer, size_t size,
                      size_t new_size, size_t align)
{
  (void)size;
  return tn_buddy_resize(((tn_buddy_provider *)provider)->buddy, pointer,
                         tni_max(new_size, align));
}

tn_buddy_provider
tn_buddy_provide(tn_buddy *buddy)
{
  return (tn_buddy_provider){
      {.allocate = buddy_provider_allocate,
       .free = buddy_provider_free,
       .resize = buddy_provider_resize,
       .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
       .name = "buddy"},
      buddy};
}
