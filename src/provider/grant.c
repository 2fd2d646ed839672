#include <tenure/grant.h>

#include <string.h>

#include "os/os.h"
#include "provider/provider.h"
#include "vm/vm.h"

/* Blocks are multiples of this, so that every gap has room for its record. */
#define GRANT_UNIT ((size_t)64)

/* The record of a gap, in the gap. */
typedef struct tni_grant_gap tni_grant_gap;
struct tni_grant_gap {
  tni_grant_gap *next;  // lock: at a higher address, not touching
  size_t size;          // lock: bytes
};

_Static_assert(sizeof(tni_grant_gap) <= GRANT_UNIT, "a gap has its record");

/* A lock in a public struct, which does not know os. */
static tni_os_lock *
grant_lock(tn_grant *grant)
{
  _Static_assert(sizeof grant->lock == sizeof(tni_os_lock), "the same");
  return (tni_os_lock *)(void *)grant->lock;
}

static unsigned char *
grant_top(const tn_grant *grant)
{
  return grant->region->low + grant->top;
}

static bool
grant_is_valid(const tn_grant *grant)
{
  const unsigned char *end = grant->region->low;
  for (const tni_grant_gap *gap = grant->gaps; gap; gap = gap->next) {
    const unsigned char *const start = (const unsigned char *)gap;
    if (start < end || (start == end && gap != grant->gaps) || gap->size == 0)
      return false;
    end = start + gap->size;
  }
  return (grant->gaps ? end < grant_top(grant) : true) &&
         grant->top <= grant->peak &&
         (grant->size == 0 || grant->peak <= grant->size);
}

/* ---- Gaps --------------------------------------------------------------------- */

/* [start, start + size) is free: joined with gaps that it touches, or given to
 * what is above top. */
static void
grant_add_gap(tn_grant *grant, unsigned char *start, size_t size)
{
  tni_grant_gap **at = &grant->gaps;
  if (size == 0)
    return;
  tni_grant_gap **before = NULL;
  for (; *at && (unsigned char *)*at < start; at = &(*at)->next)
    before = at;
  tni_grant_gap *next = *at;
  if (next && start + size == (unsigned char *)next) {
    size += next->size;
    next = next->next;
  }
  if (before && (unsigned char *)*before + (*before)->size == start) {
    start = (unsigned char *)*before;
    size += (*before)->size;
    at = before;
  }
  if (start + size == grant_top(grant)) {
    grant->top -= size;
    *at = NULL;
    return;
  }
  tni_grant_gap *const gap = (tni_grant_gap *)(void *)start;
  *gap = (tni_grant_gap){next, size};
  *at = gap;
}

/* Take [start, start + size) out of the gap at *at, which holds it. */
static void
grant_cut_gap(tni_grant_gap **at, unsigned char *start, size_t size)
{
  tni_grant_gap *const gap = *at;
  const size_t before = (size_t)(start - (unsigned char *)gap);
  const size_t after = gap->size - before - size;
  tni_grant_gap *next = gap->next;
  if (after > 0) {
    tni_grant_gap *const rest = (tni_grant_gap *)(void *)(start + size);
    *rest = (tni_grant_gap){next, after};
    next = rest;
  }
  if (before > 0) {
    gap->size = before;
    gap->next = next;
  } else {
    *at = next;
  }
}

/* ---- Allocating --------------------------------------------------------------- */

static unsigned char *
grant_fit(tn_grant *grant, size_t size, size_t align)
{
  for (tni_grant_gap **at = &grant->gaps; *at; at = &(*at)->next) {
    const size_t skip = -tni_address(*at) & (align - 1);
    if (skip > (*at)->size || size > (*at)->size - skip)
      continue;
    unsigned char *const start = (unsigned char *)*at + skip;
    grant_cut_gap(at, start, size);
    return start;
  }
  return NULL;
}

/* Move top to bytes from low; false when the grant, or the system, has no more. */
static bool
grant_raise(tn_grant *grant, size_t bytes)
{
  if (grant->size != 0 ? bytes > grant->size
                       : tni_region_ensure(grant->region, bytes) != TN_OK)
    return false;
  grant->top = bytes;
  grant->peak = tni_max(grant->peak, bytes);
  return true;
}

static unsigned char *
grant_extend(tn_grant *grant, size_t size, size_t align)
{
  unsigned char *const top = grant_top(grant);
  const size_t skip = -tni_address(top) & (align - 1);
  size_t bytes;
  if (!tn_size_add(grant->top, skip, &bytes) ||
      !tn_size_add(bytes, size, &bytes) || !grant_raise(grant, bytes))
    return NULL;
  grant_add_gap(grant, top, skip);
  return top + skip;
}

static tn_block
grant_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_grant *const grant = (tn_grant *)provider;
  size_t need;
  if (!tni_round_up_checked(size, GRANT_UNIT, &need))
    return (tn_block){NULL, 0, false};
  const size_t to = tni_max(align, GRANT_UNIT);
  tni_os_lock_acquire(grant_lock(grant));
  unsigned char *p = grant_fit(grant, need, to);
  if (p == NULL)
    p = grant_extend(grant, need, to);
  TN_CHECK_SLOW(grant_is_valid(grant), "grant.order");
  tni_os_lock_release(grant_lock(grant));
  return (tn_block){p, p ? need : 0, false};
}

/* Whether [p, p + size) can be a block of this grant. */
static bool
grant_holds(const tn_grant *grant, const unsigned char *p, size_t size)
{
  const unsigned char *const low = grant->region->low;
  if (p < low || p >= low + grant->top || ((size_t)(p - low) % GRANT_UNIT) ||
      size > (size_t)(low + grant->top - p))
    return false;
  for (const tni_grant_gap *gap = grant->gaps; gap; gap = gap->next) {
    const unsigned char *const start = (const unsigned char *)gap;
    if (p < start + gap->size && start < p + size)
      return false;
  }
  return true;
}

static void
grant_free(tn_provider *provider, void *pointer, size_t size, size_t align)
{
  tn_grant *const grant = (tn_grant *)provider;
  (void)align;
  tni_os_lock_acquire(grant_lock(grant));
  TN_REQUIRE(grant_holds(grant, pointer, size), "grant.block",
             "what is given back is not a block of this grant, or was given "
             "back before");
  grant_add_gap(grant, pointer, tni_round_up(size, GRANT_UNIT));
  TN_CHECK_SLOW(grant_is_valid(grant), "grant.order");
  tni_os_lock_release(grant_lock(grant));
}

/* Make the block that ends at end longer by more. */
static bool
grant_lengthen(tn_grant *grant, unsigned char *end, size_t more)
{
  size_t bytes;
  if (end == grant_top(grant))
    return tn_size_add(grant->top, more, &bytes) && grant_raise(grant, bytes);
  tni_grant_gap **at = &grant->gaps;
  while (*at && (unsigned char *)*at < end)
    at = &(*at)->next;
  if (!*at || (unsigned char *)*at != end || (*at)->size < more)
    return false;
  grant_cut_gap(at, end, more);
  return true;
}

static size_t
grant_resize(tn_provider *provider, void *pointer, size_t size, size_t new_size,
             size_t align)
{
  tn_grant *const grant = (tn_grant *)provider;
  unsigned char *const block = pointer;
  const size_t old = tni_round_up(size, GRANT_UNIT);
  size_t need;
  (void)align;
  if (!tni_round_up_checked(new_size, GRANT_UNIT, &need))
    return 0;
  tni_os_lock_acquire(grant_lock(grant));
  TN_REQUIRE(grant_holds(grant, block, size), "grant.block",
             "what is resized is not a block of this grant");
  bool done = true;
  if (need > old)
    done = grant_lengthen(grant, block + old, need - old);
  else
    grant_add_gap(grant, block + need, old - need);
  TN_CHECK_SLOW(grant_is_valid(grant), "grant.order");
  tni_os_lock_release(grant_lock(grant));
  return done ? need : 0;
}

/* ---- Life ------------------------------------------------------------------------ */

static tni_block_info
grant_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  const size_t depth = tni_address(p) - tni_address(region->low);
  return (tni_block_info){region->low, usable, false, depth < usable};
}

static const tni_owner_ops grant_ops = {"grant", grant_find_block};

/* The address space, and for a size its pages. */
static tni_region *
grant_reserve(const tn_grant_options *options, tn_status *status)
{
  tni_region_options how = {
      .size = options->size ? options->size : tni_os_budget(),
      .initial = options->size,
      .commit = TNI_COMMIT_ASK,
      .ops = &grant_ops,
      .name = options->name,
  };
  tni_region *region = tni_region_create(&how, status);
  for (; !region && !options->size && how.size > TNI_MIB(1);)
    region = (how.size /= 2, tni_region_create(&how, status));
  if (region == NULL || options->size == 0)
    return region;
  *status = tni_os_prefault(region->low, tni_load_relaxed(&region->usable));
  if (*status == TN_OK)
    *status = tni_os_prefault_program();
  if (*status == TN_OK && options->stack)
    *status = tni_os_prefault_stack(options->stack);
  if (*status == TN_OK)
    return region;
  tni_region_destroy(region);
  return NULL;
}

/* By [grant.once] the last that asks the system. */
tn_status
tn_grant_create(tn_grant *out, const tn_grant_options *options)
{
  static const tn_grant_options defaults;
  const tn_grant_options *const o = options ? options : &defaults;
  tn_status status;
  tni_region *const region = grant_reserve(o, &status);
  if (region == NULL)
    return status;
  memset(out, 0, sizeof *out);
  out->provider =
      (tn_provider){.allocate = grant_allocate,
                    .free = grant_free,
                    .resize = grant_resize,
                    .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE |
                                    TN_PROVIDER_THREADS,
                    .name = o->name ? o->name : "grant"};
  out->region = region;
  out->size = o->size;
  grant_lock(out)->rank = TNI_RANK_REGION;
  (void)tni_os_thread_id();  // the first time it is two system calls
  return TN_OK;
}

void
tn_grant_destroy(tn_grant *grant)
{
  tni_region_destroy(grant->region);
  memset(grant, 0, sizeof *grant);
}

size_t
tn_grant_get_peak(tn_grant *grant)
{
  tni_os_lock_acquire(grant_lock(grant));
  const size_t peak = grant->peak;
  tni_os_lock_release(grant_lock(grant));
  return peak;
}
