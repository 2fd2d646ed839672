/* stack_pool.c -- stacks that code runs on; see <tenure/stack_pool.h>
 *
 * A slot is a guard and the stack above it.  `link` says of each slot that it
 * is taken, or which free one comes next; slots from `fresh` on have never
 * been taken and have no memory yet.
 */
#include <string.h>

#include "os/os.h"
#include "stack/stack.h"

#define STACK_POOL_GUARD TNI_KIB(64)
#define STACK_POOL_RED_ZONE                                                    \
  256  // what the machine may use below a stack pointer
#define STACK_POOL_TAKEN UINT32_MAX
#define STACK_POOL_NONE  (UINT32_MAX - 1)
#define STACK_POOL_COUNT ((size_t)1 << 31)

struct tn_stack_pool {
  tni_owner owner;            // const; first: what the page map points to
  tn_stack_pool_options how;  // const, rounded up
  unsigned char *slots;       // const: the first one
  size_t stride;              // const: bytes of a slot
  uint32_t *link;             // owner
  uint32_t free;          // owner: the slot given back last; STACK_POOL_NONE
  uint32_t fresh;         // owner: slots that have ever been taken
  size_t taken;           // owner
  bool has_plain_guards;  // owner: a mapping of its own for each guard
};

/* ---- Slots ------------------------------------------------------------------- */

static unsigned char *
stack_pool_low(const tn_stack_pool *pool, size_t slot)
{
  return pool->slots + slot * pool->stride + pool->how.guard;
}

/* The slot that p is in; how.count when it is in none. */
static size_t
stack_pool_slot(const tn_stack_pool *pool, const void *p)
{
  const size_t slot =
      (tni_address(p) - tni_address(pool->slots)) / pool->stride;
  return slot < pool->how.count ? slot : pool->how.count;
}

static tni_block_info
stack_pool_find_block(const tni_owner *owner, const void *p)
{
  const tn_stack_pool *const pool = (const tn_stack_pool *)owner;
  const size_t slot = stack_pool_slot(pool, p);
  if (slot == pool->how.count ||
      (const unsigned char *)p < stack_pool_low(pool, slot))
    return (tni_block_info){owner->base, 0, false, false};
  return (tni_block_info){stack_pool_low(pool, slot), pool->how.size, true,
                          pool->link[slot] == STACK_POOL_TAKEN};
}

static const tni_owner_ops stack_pool_ops = {"stack pool",
                                             stack_pool_find_block};

/* [stack.overflow]; runs in the signal handler. */
static bool
stack_pool_on_fault(void *argument, void *address, bool is_write)
{
  const tn_stack_pool *const pool = argument;
  const size_t slot = stack_pool_slot(pool, address);
  (void)is_write;
  if (slot == pool->how.count ||
      (unsigned char *)address >= stack_pool_low(pool, slot))
    return false;
  char function[128], line[320];
  if (tni_os_symbol(tni_os_fault_code(), function, sizeof function) == 0)
    tni_format(function, sizeof function, "an unknown function");
  tni_format(
      line, sizeof line,
      "tenure: [stack.overflow] stack %zu of pool %s overflows in %s: it "
      "has used its %zu bytes",
      slot, pool->how.name ? pool->how.name : "without a name", function,
      pool->how.size);
  tni_fatal(line);
}

/* ---- Creating ------------------------------------------------------------------ */

/* Fill in the sizes: *table and *total bytes. */
static tn_status
stack_pool_measure(tn_stack_pool *pool, size_t *table, size_t *total)
{
  tn_stack_pool_options *const how = &pool->how;
  const size_t page = tni_os_get_config()->page_size;
  if (how->count == 0 || how->size == 0)
    return TN_EINVAL;
  const size_t guard = how->guard ? how->guard : STACK_POOL_GUARD;
  if (how->count > STACK_POOL_COUNT ||
      !tni_round_up_checked(how->size, page, &how->size) ||
      !tni_round_up_checked(guard, page, &how->guard) ||
      !tn_size_add(how->size, how->guard, &pool->stride) ||
      !tn_size_mul(pool->stride, how->count, total) ||
      !tn_size_mul(how->count, sizeof *pool->link, table) ||
      !tni_round_up_checked(*table, page, table) ||
      !tn_size_add(*total, *table, total) ||
      !tni_round_up_checked(*total, TNI_SLICE_SIZE, total))
    return TN_ERANGE;
  return TN_OK;
}

/* Reserve, with the table usable; small pages, as a stack uses few. */
static tn_status
stack_pool_reserve(tn_stack_pool *pool, size_t table, size_t total)
{
  void *base = NULL;
  tn_status status = tni_place_reserve(total, TNI_SLICE_SIZE, &base);
  if (!base)
    return status;
  (void)tni_os_huge(base, total, false);  // costs only memory
  status = tni_os_commit(base, table);
  if (status != TN_OK) {
    (void)tni_os_release(base, total);
    return status;
  }
  pool->owner = (tni_owner){&stack_pool_ops, pool->how.name, base, total};
  pool->link = base;
  pool->slots = (unsigned char *)base + table;
  return TN_OK;
}

/* Put a reserved pool into the page map and under watch. */
static tn_status
stack_pool_register(tn_stack_pool *pool, void *base, size_t size)
{
  tn_status status = tni_pagemap_set(base, size, &pool->owner);
  if (status != TN_OK)
    return status;
  const tni_os_fault_watch watch = {base, size, stack_pool_on_fault, pool};
  status = tni_os_fault_add(&watch);
  if (status == TN_OK || status == TN_ENOTSUP)  // only the message is lost
    return TN_OK;
  tni_pagemap_clear(base, size);
  return status;
}

tn_status
tn_stack_pool_create(tn_stack_pool **out, const tn_stack_pool_options *options)
{
  tn_stack_pool *const pool = tni_meta_allocate(sizeof *pool);
  if (!pool)
    return TN_ENOMEM;
  *pool = (tn_stack_pool){.how = *options, .free = STACK_POOL_NONE};
  size_t table, total;
  tn_status status = stack_pool_measure(pool, &table, &total);
  if (status == TN_OK)
    status = stack_pool_reserve(pool, table, total);
  if (status == TN_OK) {
    status = stack_pool_register(pool, pool->link, total);
    if (status != TN_OK)
      (void)tni_os_release(pool->link, total);
  }
  if (status != TN_OK) {
    tni_meta_free(pool, sizeof *pool);
    return status;
  }
  *out = pool;
  return TN_OK;
}

void
tn_stack_pool_destroy(tn_stack_pool *pool)
{
  tni_os_fault_remove(pool->link);
  tni_pagemap_clear(pool->link, pool->owner.size);
  (void)tni_os_release(pool->link, pool->owner.size);
  tni_meta_free(pool, sizeof *pool);
}

/* ---- Taking and giving ------------------------------------------------------------ */

/* Give a fresh slot its pages and its guard.  May be repeated. */
static tn_status
stack_pool_prepare(tn_stack_pool *pool, size_t slot)
{
  unsigned char *const low = stack_pool_low(pool, slot);
  unsigned char *const guard = low - pool->how.guard;
  tn_status status = TN_ENOTSUP;
  if (!pool->has_plain_guards) {
    status = tni_os_commit_lazy(guard, pool->stride);
    if (status == TN_OK)
      status = tni_os_guard(guard, pool->how.guard);
    if (status == TN_ENOTSUP)
      status = tni_os_decommit(guard, pool->how.guard) == TN_OK ? TN_ENOTSUP
                                                                : TN_EAGAIN;
  }
  if (status == TN_ENOTSUP) {
    pool->has_plain_guards = true;
    status = tni_os_commit_lazy(low, pool->how.size);
    /* Nothing was charged: what is short is mappings. */
    if (status == TN_ENOMEM && tni_os_get_config()->has_lazy)
      status = TN_EAGAIN;
  }
  if (status == TN_OK && pool->how.is_eager)
    status = tni_os_prefault(low, pool->how.size);
  return status;
}

tn_status
tn_stack_pool_take(tn_stack_pool *pool, tn_stack_room *out)
{
  uint32_t slot = pool->free;
  if (slot != STACK_POOL_NONE) {
    pool->free = pool->link[slot];
  } else {
    if (pool->fresh == pool->how.count)
      return TN_ERANGE;
    const tn_status status = stack_pool_prepare(pool, pool->fresh);
    if (status != TN_OK)
      return status;
    slot = pool->fresh++;
  }
  pool->link[slot] = STACK_POOL_TAKEN;
  pool->taken++;
  *out = (tn_stack_room){stack_pool_low(pool, slot), pool->how.size};
  return TN_OK;
}

/* The taken slot that begins at low; how.count when there is none. */
static size_t
stack_pool_taken_slot(const tn_stack_pool *pool, const void *low)
{
  const size_t slot = stack_pool_slot(pool, low);
  const bool is_taken = slot < pool->fresh &&
                        low == stack_pool_low(pool, slot) &&
                        pool->link[slot] == STACK_POOL_TAKEN;
  TN_REQUIRE(is_taken, "stack.foreign",
             "not the beginning of a stack of this pool that is taken");
  return is_taken ? slot : pool->how.count;
}

void
tn_stack_pool_give(tn_stack_pool *pool, void *low)
{
  const size_t slot = stack_pool_taken_slot(pool, low);
  const size_t page = tni_os_get_config()->page_size;
  if (slot == pool->how.count)
    return;
  if (!pool->how.is_eager && pool->how.size > page)
    (void)tni_os_purge(low, pool->how.size - page);  // costs only memory
  pool->link[slot] = pool->free;
  pool->free = (uint32_t)slot;
  pool->taken--;
}

void
tn_stack_pool_park(tn_stack_pool *pool, void *low, const void *pointer)
{
  const size_t slot = stack_pool_taken_slot(pool, low);
  const size_t page = tni_os_get_config()->page_size;
  const size_t used_from = tni_address(pointer) - tni_address(low);
  const bool is_running =
      tni_address(__builtin_frame_address(0)) - tni_address(low) <
      pool->how.size;
  TN_REQUIRE(!is_running, "stack.foreign",
             "a stack is parked by what runs on it: switch first");
  TN_REQUIRE(used_from <= pool->how.size, "stack.foreign",
             "a stack pointer that is not on the stack that is parked");
  if (slot == pool->how.count || is_running || used_from > pool->how.size ||
      used_from < STACK_POOL_RED_ZONE)
    return;
  const size_t unused = tni_round_down(used_from - STACK_POOL_RED_ZONE, page);
  if (unused > 0)
    (void)tni_os_purge(low, unused);  // costs only memory
}

size_t
tn_stack_pool_get_taken(const tn_stack_pool *pool)
{
  return pool->taken;
}

/* ---- As a provider ----------------------------------------------------------------- */

static tn_block
stack_pool_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_stack_pool *const pool = ((tn_stack_pool_provider *)provider)->pool;
  tn_stack_room room;
  if (size > pool->how.size || align > tni_os_get_config()->page_size ||
      tn_stack_pool_take(pool, &room) != TN_OK)
    return (tn_block){NULL, 0, false};
  return (tn_block){room.low, room.size, false};
}

static void
stack_pool_provider_free(tn_provider *provider, void *pointer, size_t size,
                         size_t align)
{
  (void)size, (void)align;
  tn_stack_pool_give(((tn_stack_pool_provider *)provider)->pool, pointer);
}

static size_t
stack_pool_provider_resize(tn_provider *provider, void *pointer, size_t size,
                           size_t new_size, size_t align)
{
  const tn_stack_pool *const pool = ((tn_stack_pool_provider *)provider)->pool;
  (void)pointer, (void)size, (void)align;
  return new_size <= pool->how.size ? pool->how.size : 0;
}

tn_stack_pool_provider
tn_stack_pool_provide(tn_stack_pool *pool)
{
  return (tn_stack_pool_provider){
      {.allocate = stack_pool_provider_allocate,
       .free = stack_pool_provider_free,
       .resize = stack_pool_provider_resize,
       .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
       .name = pool->how.name ? pool->how.name : "stacks"},
      pool};
}
