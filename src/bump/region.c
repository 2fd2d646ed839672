#include "bump/bump.h"

#include "os/os.h"

/* Less is not worth having when as much as may be was asked for. */
#define BUMP_LEAST TNI_MIB(1)

/* The cursors are in the caller's hands: of blocks nothing is known, only
 * whether they could be there. */
static tni_block_info
bump_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  const size_t depth = tni_address(region->high) - tni_address(p);
  return (tni_block_info){region->high - usable, usable, false,
                          depth - 1 < usable};
}

/* A touch of the guard, most likely the probe of a push: [bump.full]. */
static void
bump_on_overflow(const tni_owner *owner, const void *address)
{
  const tni_region *const region = (const tni_region *)owner;
  const bool is_below = tni_address(address) < tni_address(region->low);
  char line[256];
  tni_format(line, sizeof line,
             is_below ? "tenure: [bump.full] allocator %s is full: a push "
                        "reaches %zu bytes below the %zu that it has"
                      : "tenure: [bump.full] allocator %s: an access %zu bytes "
                        "above the %zu that it has",
             tni_bump_name(region),
             is_below ? tni_address(region->low) - tni_address(address)
                      : tni_address(address) - tni_address(region->high),
             (size_t)(region->high - region->low));
  tni_fatal(line);
}

static const tni_owner_ops bump_ops = {"bump", bump_find_block};

/* Rests on [bump.region]. */
tni_region *
tni_bump_region(const void *cursor)
{
  const tni_owner *const owner =
      tni_pagemap_find((const unsigned char *)cursor - 1);
  if (owner == NULL || owner->ops != &bump_ops)
    return NULL;
  return tni_bump_writable(owner);
}

const char *
tni_bump_name(const tni_region *region)
{
  return region->owner.name ? region->owner.name : "without a name";
}

/* A reservation of size bytes for blocks. */
static tni_region *
bump_reserve(const tni_bump_request *request, size_t size, tn_status *status)
{
  const tni_os_config *const config = tni_os_get_config();
  /* A page more: the probe of a block that ends at low is below it. */
  if (!tn_size_mul(size, request->has_zones ? 2 : 1, &size) ||
      !tn_size_add(size, config->page_size, &size)) {
    *status = TN_ERANGE;
    return NULL;
  }
  const tni_region_options how = {
      .size = size,
      .guard = request->guard,
      .commit = request->commit,
      .grows_down = true,
      .is_huge = !request->avoid_huge && config->huge_size != 0 &&
                 size >= config->huge_size,
      .ops = &bump_ops,
      .name = request->name,
      .on_overflow = bump_on_overflow,
  };
  return tni_region_create(&how, status);
}

tni_region *
tni_bump_reserve(const tni_bump_request *request, tn_status *status)
{
  const size_t budget = tni_os_budget();
  if (request->size != 0)
    return bump_reserve(request, tni_min(request->size, budget), status);
  /* As much as may be: of a limit on address space a part is in use already,
   * how large a part nobody says. */
  tni_region *region = NULL;
  *status = TN_ENOMEM;
  for (size_t size = budget; region == NULL && size >= BUMP_LEAST; size /= 2)
    region = bump_reserve(request, size, status);
  return region;
}
