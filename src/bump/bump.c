#include "bump/bump.h"

#include "event/event.h"
#include "os/os.h"

/* What every cursor type begins with. */
typedef struct bump_cursor {
  unsigned char *cursor;
  TNI_TRACK_FIELD
} bump_cursor;

/* The guard for a cursor of units: the largest push, and for bytes the largest
 * alignment as well.  [bump.guard]; 0 where addresses are too few. */
static size_t
bump_guard(size_t unit)
{
  const uint64_t guard = ((uint64_t)unit + 1) << 32;
  return guard < SIZE_MAX ? (size_t)guard : 0;
}

/* The region of an allocator that was created, and not of a scope that was. */
static tni_region *
bump_whole(const unsigned char *cursor)
{
  tni_region *const region = tni_bump_region(cursor);
  TN_REQUIRE(region != NULL, "bump.created",
             "not an allocator that tn_bump_create made");
  return region;
}

/* Start again from the top. */
static void
bump_begin(bump_cursor *b, const tni_region *region)
{
  b->cursor = region->high;
  if (TN_DEBUG >= 1)
    tni_track_begin(b, tni_bump_name(region), region->low, NULL, false);
}

tn_status
tni_bump_create(void *out, const tn_bump_options *options, size_t unit)
{
  static const tn_bump_options defaults;
  const tn_bump_options *const o = options ? options : &defaults;
  const size_t guard = bump_guard(unit);
  if (o->commit != TN_COMMIT_TOUCH && o->commit != TN_COMMIT_FAULT)
    return TN_EINVAL;
  if (guard == 0 || !tni_os_get_config()->has_guard)
    return TN_ENOTSUP;
  tn_status status;
  tni_region *const region = tni_bump_reserve(
      &(tni_bump_request){o->name, o->size, guard,
                          o->commit == TN_COMMIT_FAULT ? TNI_COMMIT_FAULT
                                                       : TNI_COMMIT_TOUCH,
                          o->avoid_huge, TN_DEBUG >= 1},
      &status);
  if (region == NULL)
    return status;
  bump_cursor *const b = out;
  bump_begin(b, region);
#if TN_DEBUG >= 1
  b->track.do_log = o->log;
#endif
  return TN_OK;
}

tn_status
tn_bump_create(tn_bump *out, const tn_bump_options *options)
{
  return tni_bump_create(out, options, 1);
}

void
tni_bump_destroy(void *cursor)
{
  bump_cursor *const b = cursor;
  tni_region *const region = bump_whole(b->cursor);
  if (region == NULL)
    return;
  if (TN_DEBUG >= 1)
    tni_track_end(b);
  tni_region_destroy(region);
  b->cursor = NULL;
}

void
tn_bump_destroy(tn_bump *b)
{
  tni_bump_destroy(b);
}

void
tni_bump_reset(void *cursor)
{
  bump_cursor *const b = cursor;
  tni_region *const region = bump_whole(b->cursor);
  if (region == NULL)
    return;
  const size_t used = (size_t)(region->high - b->cursor);
  if (TN_DEBUG >= 1)
    tni_track_clear(b);
  else
    tni_event_say(TN_EVENT_RESET, "bump", region, b->cursor, used);
  b->cursor = region->high;
  tni_region_reset(region, used);
}

void
tn_bump_reset(tn_bump *b)
{
  tni_bump_reset(b);
}

/* By [bump.order] never negative: bytes between cursor and the lowest that a block may begin at: there is a
 * byte left below it for the probe. */
static size_t
bump_room(const tni_region *region, const unsigned char *cursor)
{
  return (size_t)(cursor - region->low) - TN_ALIGN;
}

/* Have the bytes from cursor down, and the probe's below. */
static tn_status
bump_ensure(tni_region *region, const unsigned char *cursor, size_t bytes)
{
  if (bytes > bump_room(region, cursor))
    return TN_ERANGE;
  return tni_region_ensure(region,
                           (size_t)(region->high - cursor) + bytes + TN_ALIGN);
}

tn_status
tn_bump_commit(tn_bump *b, size_t bytes)
{
  tni_region *const region = bump_whole(b->cursor);
  return region ? bump_ensure(region, b->cursor, bytes) : TN_EINVAL;
}

unsigned char *
tni_bump_try(unsigned char *cursor, size_t size, size_t align)
{
  tni_region *const region = bump_whole(cursor);
  size_t need;
  if (region == NULL || !tni_round_up_checked(size, TN_ALIGN, &need) ||
      need > bump_room(region, cursor))
    return NULL;
  if (!tn_size_add(need, (tni_address(cursor) - need) & (align - 1), &need) ||
      bump_ensure(region, cursor, need) != TN_OK)
    return NULL;
  return cursor - need;
}

size_t
tn_bump_high_water(const tn_bump *b)
{
  const tni_region *const region = bump_whole(b->cursor);
  if (region == NULL)
    return 0;
#if TN_DEBUG >= 1
  return (size_t)(region->high - b->track.lowest);
#else
  return (size_t)(region->high - b->cursor);
#endif
}
