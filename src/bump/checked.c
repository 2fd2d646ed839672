#include <tenure/checked.h>

#include "bump/bump.h"
#include "event/event.h"
#include "os/os.h"

/* What spill points to, by its tag. */
static unsigned
checked_kind(const void *spill)
{
  return tni_address(spill) & 3;
}

static const void *
checked_target(const void *spill)
{
  return (const char *)spill - checked_kind(spill);
}

/* The lowest usable byte of a region. */
static unsigned char *
checked_low(const tni_region *region)
{
  return region->high - tni_load_acquire(&region->usable);
}

static tni_region *
checked_region(const void *spill)
{
  return tni_bump_writable(checked_target(spill));
}

static size_t
checked_room(const tni_checked_place *c)
{
  return (size_t)(c->cursor - c->limit);
}

/* c continued in what it spills into, which is not changed ([checked.spill]);
 * false when there is nothing more. */
static bool
checked_follow(tni_checked_place *c, size_t need)
{
  if (c->spill == NULL)
    return false;
  switch (checked_kind(c->spill)) {
  case TNI_SPILL_CHECKED: {
    const tn_checked *const next = checked_target(c->spill);
    c->cursor = next->cursor;
    c->limit = next->limit;
    c->spill = next->spill;
    return true;
  }
  case TNI_SPILL_BUMP: {
    const tn_bump *const bump = checked_target(c->spill);
    tni_region *const region = tni_bump_region(bump->cursor);
    if (region == NULL)
      return false;
    c->cursor = bump->cursor;
    c->limit = checked_low(region);
    c->spill = (const char *)region + TNI_SPILL_REGION;
    return true;
  }
  case TNI_SPILL_REGION: {
    tni_region *const region = checked_region(c->spill);
    size_t depth;
    if (!tn_size_add((size_t)(region->high - c->cursor), need, &depth) ||
        tni_region_ensure(region, depth) != TN_OK)
      return false;
    c->limit = checked_low(region);
    return true;
  }
  default: return false;
  }
}

/* NOLINTBEGIN(readability-non-const-parameter): what comes back is written. */
tni_checked_place
tni_checked_try_refill(unsigned char *cursor, unsigned char *limit,
                       const void *spill, size_t need)
{
  const tni_checked_place before = {cursor, limit, spill};
  tni_checked_place next = before;
  while (need > checked_room(&next))
    if (!checked_follow(&next, need))
      return before;
  return next;
}

/* Where allocation that spills there ends: for the message. */
static const char *
checked_name(const void *spill)
{
  while (spill != NULL && checked_kind(spill) == TNI_SPILL_CHECKED)
    spill = ((const tn_checked *)checked_target(spill))->spill;
  if (spill == NULL)
    return "over a buffer";
  if (checked_kind(spill) == TNI_SPILL_NAME)
    return ((const tni_checked_name *)checked_target(spill))->text;
  if (checked_kind(spill) == TNI_SPILL_REGION)
    return tni_bump_name(checked_region(spill));
  const tni_region *const region =
      tni_bump_region(((const tn_bump *)checked_target(spill))->cursor);
  return region ? tni_bump_name(region) : "outside a region";
}

/* The contract [checked.full] is kept here. */
tni_checked_place
tni_checked_refill(unsigned char *cursor, unsigned char *limit,
                   const void *spill, size_t need)
{
  const tni_checked_place next =
      tni_checked_try_refill(cursor, limit, spill, need);
  if (need <= checked_room(&next))
    return next;
  char line[256];
  tni_format(line, sizeof line,
             "tenure: [checked.full] allocator %s is full: asked for %zu "
             "bytes, %zu left",
             checked_name(spill), need, (size_t)(cursor - limit));
  tni_fatal(line);
  __builtin_unreachable();
}
// NOLINTEND(readability-non-const-parameter)

/* ---- Over a region ------------------------------------------------------- */

/* The region of what tn_checked_create made; NULL, or a line, otherwise. */
static tni_region *
checked_whole(const tn_checked *c)
{
  const bool is_ours =
      c->spill != NULL && checked_kind(c->spill) == TNI_SPILL_REGION;
  TN_REQUIRE(is_ours, "checked.created",
             "not an allocator that tn_checked_create made");
  return is_ours ? checked_region(c->spill) : NULL;
}

tn_status
tn_checked_create(tn_checked *out, const tn_checked_options *options)
{
  static const tn_checked_options defaults;
  const tn_checked_options *const o = options ? options : &defaults;
  tn_status status;
  tni_region *const region =
      tni_bump_reserve(&(tni_bump_request){o->name, o->size, 0, TNI_COMMIT_ASK,
                                           o->avoid_huge, false},
                       &status);
  if (region == NULL)
    return status;
  out->cursor = region->high;
  out->limit = checked_low(region);
  out->spill = (const char *)region + TNI_SPILL_REGION;
#if TN_DEBUG >= 1
  tni_track_begin(out, tni_bump_name(region), out->limit, out->spill, true);
  out->track.do_log = o->log;
#endif
  return TN_OK;
}

void
tn_checked_destroy(tn_checked *c)
{
  tni_region *const region = checked_whole(c);
  if (region == NULL)
    return;
  if (TN_DEBUG >= 1)
    tni_track_end(c);
  tni_region_destroy(region);
  c->cursor = c->limit = NULL;
  c->spill = NULL;
}

void
tn_checked_reset(tn_checked *c)
{
  tni_region *const region = checked_whole(c);
  if (region == NULL)
    return;
  const size_t used = (size_t)(region->high - c->cursor);
  if (TN_DEBUG >= 1)
    tni_track_clear(c);
  else
    tni_event_say(TN_EVENT_RESET, "checked", region, c->cursor, used);
  c->cursor = region->high;
  tni_region_reset(region, used);
  c->limit = checked_low(region);
}
