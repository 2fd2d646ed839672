#include "vm/region.h"

#include "event/event.h"
#include "os/os.h"
#include "vm/meta.h"
#include "vm/place.h"
#include "vm/reclaim.h"

#define REGION_STEP_MIN TNI_MIB(1)
#define REGION_STEP_MAX TNI_MIB(64)

/* What pages of this region come in. */
static size_t
region_unit(const tni_region_options *how)
{
  const tni_os_config *const config = tni_os_get_config();
  return how->is_huge && config->huge_size ? config->huge_size
                                           : config->page_size;
}

bool
tni_region_is_valid(const tni_region *region)
{
  const size_t page = tni_os_get_config()->page_size;
  const uintptr_t start = tni_address(region->reserved);
  const uintptr_t low = tni_address(region->low);
  const uintptr_t high = tni_address(region->high);
  return region->owner.base == region->reserved && start < low && low <= high &&
         high - start < region->reserved_size &&
         tni_is_aligned(start | low | high, page) &&
         tni_load_relaxed(&region->usable) <= high - low;
}

/* Bytes from the fixed end of the region to address, which is then usable. */
static size_t
region_depth(const tni_region *region, const void *address)
{
  return region->how.grows_down
             ? tni_address(region->high) - tni_address(address)
             : tni_address(address) - tni_address(region->low) + 1;
}

/* Where bytes [from, to), counted from the fixed end, begin. */
static unsigned char *
region_at(const tni_region *region, size_t from, size_t to)
{
  return region->how.grows_down ? region->high - to : region->low + from;
}

static tn_status
region_commit(tni_region *region, size_t from, size_t to)
{
  unsigned char *const start = region_at(region, from, to);
  const tn_status status = region->how.commit == TNI_COMMIT_ASK
                               ? tni_os_commit(start, to - from)
                               : tni_os_commit_lazy(start, to - from);
  if (status != TN_OK)
    return status;
  /* Not the first huge page: most regions never use more than a corner of it,
   * and a touch would cost 2 MiB.  Again after a decommit, which forgets it. */
  const size_t first = tni_max(from, region_unit(&region->how));
  if (region->how.is_huge && first < to)
    (void)tni_os_huge(region_at(region, first, to), to - first, true);
  /* The handler on another thread may have gone further: never back. */
  size_t usable = tni_load_acquire(&region->usable);
  while (usable < to && !tni_cas_acq_rel(&region->usable, &usable, to))
    ;
  return TN_OK;
}

/* The step that makes bytes usable: as much again as there is, in bounds. */
static size_t
region_step(const tni_region *region, size_t usable, size_t bytes)
{
  const size_t step =
      tni_min(tni_max(usable, REGION_STEP_MIN), REGION_STEP_MAX);
  const size_t most = (size_t)(region->high - region->low);
  const size_t wanted = TN_STRESS_TINY ? bytes : tni_max(bytes, usable + step);
  return tni_min(tni_round_up(wanted, region_unit(&region->how)), most);
}

/* Make bytes usable, at most the region's size, where usable are so far: a
 * step, or what was asked when that is refused.  *to is how far it went. */
static tn_status
region_grow(tni_region *region, size_t usable, size_t bytes, size_t *to)
{
  const size_t most = (size_t)(region->high - region->low);
  const size_t least =
      tni_min(tni_round_up(bytes, region_unit(&region->how)), most);
  *to = region_step(region, usable, bytes);
  tn_status status = region_commit(region, usable, *to);
  if (status == TN_ENOMEM && least < *to) {
    *to = least;
    status = region_commit(region, usable, *to);
  }
  return status;
}

tn_status
tni_region_ensure(tni_region *region, size_t bytes)
{
  TN_CHECK(tni_region_is_valid(region), "region.bounds");
  const size_t usable = tni_load_acquire(&region->usable);
  if (bytes <= usable)
    return TN_OK;
  if (bytes > (size_t)(region->high - region->low))
    return TN_ERANGE;
  size_t to;
  tn_status status = region_grow(region, usable, bytes, &to);
  if (status == TN_ENOMEM && tni_reclaim(to - usable))
    status = region_grow(region, usable, bytes, &to);
  if (status == TN_OK)
    tni_event_say(TN_EVENT_COMMIT, region->owner.ops->discipline, region,
                  region_at(region, usable, to), to - usable);
  return status;
}

/* ---- Faults -------------------------------------------------------------- */

static TN_COLD TN_NORETURN void
region_say_overflow(const tni_region *region, const void *address)
{
  char line[256];
  const char *const name = region->how.name;
  const bool is_past = region->how.grows_down
                           ? tni_address(address) < tni_address(region->low)
                           : tni_address(address) >= tni_address(region->high);
  tni_format(line, sizeof line,
             "tenure: [region.bounds] %s%s%s%s: access at %p, %s the %zu bytes "
             "that it has at most",
             region->owner.ops->discipline, name ? " \"" : "", name ? name : "",
             name ? "\"" : "", address, is_past ? "beyond" : "before",
             (size_t)(region->high - region->low));
  tni_fatal(line);
}

/* A touch cannot be answered; what it needs is refused: [region.refused]. */
static TN_COLD TN_NORETURN void
region_say_refused(const tni_region *region, size_t bytes)
{
  char line[256];
  const char *const name = region->how.name;
  tni_format(line, sizeof line,
             "tenure: [region.refused] %s%s%s%s: out of memory at a touch: the "
             "system refuses %zu bytes beside the %zu that there are",
             region->owner.ops->discipline, name ? " \"" : "", name ? name : "",
             name ? "\"" : "", bytes, tni_load_relaxed(&region->usable));
  tni_fatal(line);
}

static bool
region_on_fault(void *argument, void *address, bool is_write)
{
  tni_region *const region = argument;
  (void)is_write;
  if (tni_address(address) - tni_address(region->low) >=
      (size_t)(region->high - region->low)) {
    if (region->how.on_overflow)
      region->how.on_overflow(&region->owner, address);
    else
      region_say_overflow(region, address);
    return false;
  }
  /* By [region.policy] it was usable: somebody else has protected it. */
  if (region->how.commit != TNI_COMMIT_FAULT)
    return false;
  const size_t usable = tni_load_acquire(&region->usable);
  const size_t depth = region_depth(region, address);
  if (depth <= usable)
    return true;  // another thread was faster
  size_t to;
  if (region_grow(region, usable, depth, &to) != TN_OK)
    region_say_refused(region, to - usable);
  tni_event_say(TN_EVENT_GROW, region->owner.ops->discipline, region, address,
                to - usable);
  return true;
}

/* ---- Creation ------------------------------------------------------------ */

/* What a reservation's size and start are multiples of: from 4 GiB on the page
 * map then needs no leaf. */
static size_t
region_grain(size_t total, size_t unit)
{
  return (uint64_t)total >> 32 != 0 ? TNI_SLICE_SIZE << TNI_LEAF_LOG2
                                    : tni_max(TNI_SLICE_SIZE, unit);
}

/* Reserve, and choose low and high. */
static tn_status
region_place(tni_region *region)
{
  tni_region_options *const how = &region->how;
  const size_t page = tni_os_get_config()->page_size;
  const size_t unit = region_unit(how);
  size_t size, total;
  if (how->size == 0 || !tni_round_up_checked(how->size, page, &size))
    return how->size ? TN_ERANGE : TN_EINVAL;
  if (!tni_round_up_checked(tni_max(how->guard, page), page, &how->guard) ||
      !tn_size_add(size, how->guard, &total) ||
      !tn_size_add(total, page + unit, &total) ||
      !tni_round_up_checked(total, region_grain(total, unit), &total))
    return TN_ERANGE;
  void *reserved;
  const tn_status status =
      tni_place_reserve(total, region_grain(total, unit), &reserved);
  if (status != TN_OK)
    return status;

  /* The fixed end is a multiple of the unit from the reservation's edge. */
  const size_t edge = tni_round_up(page, unit);
  const size_t slack = total - size - how->guard - edge;
  const size_t offset = edge + tni_place_random(slack, unit);
  unsigned char *const start = reserved;
  region->low =
      how->grows_down ? start + total - offset - size : start + offset;
  region->high = region->low + size;
  region->reserved = reserved;
  region->reserved_size = total;
  region->owner = (tni_owner){how->ops, how->name, reserved, total};
  return TN_OK;
}

/* Watch for faults where the policy has any. */
static tn_status
region_watch(tni_region *region)
{
  if (region->how.commit == TNI_COMMIT_ASK)
    return TN_OK;
  const tni_os_fault_watch watch = {region->reserved, region->reserved_size,
                                    region_on_fault, region};
  const tn_status status = tni_os_fault_add(&watch);
  /* Without a fault handler only the message is lost. */
  if (status == TN_ENOTSUP && region->how.commit == TNI_COMMIT_TOUCH)
    return TN_OK;
  return status;
}

/* Make usable what must be from the start. */
static tn_status
region_begin(tni_region *region)
{
  const size_t size = (size_t)(region->high - region->low);
  if (region->how.commit != TNI_COMMIT_TOUCH)
    return tni_region_ensure(region, region->how.initial);
  return region_commit(region, 0, size);
}

tni_region *
tni_region_create(const tni_region_options *options, tn_status *status)
{
  tni_region *const region = tni_meta_allocate(sizeof *region);
  if (!region) {
    *status = TN_ENOMEM;
    return NULL;
  }
  region->how = *options;
  *status = region_place(region);
  if (*status != TN_OK)
    goto fail_place;
  *status =
      tni_pagemap_set(region->reserved, region->reserved_size, &region->owner);
  if (*status != TN_OK)
    goto fail_map;
  *status = region_watch(region);
  if (*status != TN_OK)
    goto fail_watch;
  *status = region_begin(region);
  if (*status != TN_OK)
    goto fail_begin;
  TN_CHECK(tni_region_is_valid(region), "region.bounds");
  TN_CHECK(tni_load_relaxed(&region->usable) >= options->initial,
           "region.usable");
  tni_event_say(TN_EVENT_RESERVE, options->ops->discipline, region,
                region->reserved, region->reserved_size);
  return region;

fail_begin:
  if (region->how.commit != TNI_COMMIT_ASK)
    tni_os_fault_remove(region->reserved);
fail_watch:
  tni_pagemap_clear(region->reserved, region->reserved_size);
fail_map:
  (void)tni_os_release(region->reserved, region->reserved_size);
fail_place:
  tni_meta_free(region, sizeof *region);
  return NULL;
}

void
tni_region_destroy(tni_region *region)
{
  TN_CHECK(tni_region_is_valid(region), "region.bounds");
  tni_event_say(TN_EVENT_RELEASE, region->owner.ops->discipline, region,
                region->reserved, region->reserved_size);
  if (region->how.commit != TNI_COMMIT_ASK)
    tni_os_fault_remove(region->reserved);
  tni_pagemap_clear(region->reserved, region->reserved_size);
  (void)tni_os_release(region->reserved, region->reserved_size);
  tni_meta_free(region, sizeof *region);
}

/* ---- Giving back --------------------------------------------------------- */

tn_status
tni_region_shrink(tni_region *region, size_t bytes)
{
  TN_CHECK(tni_region_is_valid(region), "region.bounds");
  const size_t usable = tni_load_acquire(&region->usable);
  if (bytes >= usable)
    return TN_OK;
  const size_t keep = tni_round_up(bytes, region_unit(&region->how));
  if (keep >= usable)
    return TN_OK;
  unsigned char *const start = region_at(region, keep, usable);
  const bool is_touch = region->how.commit == TNI_COMMIT_TOUCH;
  const tn_status status = is_touch ? tni_os_purge(start, usable - keep)
                                    : tni_os_decommit(start, usable - keep);
  if (status != TN_OK)
    return status;
  if (!is_touch)
    tni_store_release(&region->usable, keep);
  tni_event_say(TN_EVENT_DECOMMIT, region->owner.ops->discipline, region, start,
                usable - keep);
  return TN_OK;
}

void
tni_region_reset(tni_region *region, size_t used)
{
  const size_t huge = tni_os_get_config()->huge_size;
  const size_t keep =
      tni_decay_reset(&region->decay, used, tni_max(huge, TNI_SLICE_SIZE));
  if (keep != SIZE_MAX)
    (void)tni_region_shrink(region, keep);  // costs only memory
}
