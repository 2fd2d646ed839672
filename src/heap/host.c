#include "heap/host.h"

#include <string.h>

/* Free bytes of a handle from which on holes are worth the slower way that
 * their blocks take: so many, and this part of all. */
#define HOST_WASTE (TN_STRESS_TINY ? TNI_KIB(64) : TNI_MIB(12))
#define HOST_SHARE 16u

/* Sparse pages that show that a class has enough of its own. */
#define HOST_SPARE (TN_STRESS_TINY ? 1u : 4u)

#define HOST_LOOKS 8u  // hosts of one class that are looked at for one refill
#define HOST_TRIES 2u  // of those that are searched

/* ---- Bits ------------------------------------------------------------------- */

/* Change bits from first on, n at most TNI_HOST_UNITS.  Others may read the
 * words: [host.readers]. */
static void
host_fill(uint64_t *bits, unsigned first, unsigned n, bool value)
{
  while (n > 0) {
    const unsigned at = first % 64;
    const unsigned count = n < 64 - at ? n : 64 - at;
    const uint64_t mask = (count == 64 ? 0 : (uint64_t)1 << count) - 1;
    _Atomic uint64_t *const word = (_Atomic uint64_t *)&bits[first / 64];
    const uint64_t old = tni_load_relaxed(word);
    tni_store_relaxed(word, value ? old | mask << at : old & ~(mask << at));
    first += count;
    n -= count;
  }
}

/* The first index from `from` on, below end, whose bit is value; end: none. */
static unsigned
host_next(const uint64_t *bits, unsigned from, unsigned end, bool value)
{
  while (from < end) {
    const uint64_t word = bits[from / 64] ^ (value ? 0 : UINT64_MAX);
    const uint64_t left = word >> from % 64;
    if (left != 0) {
      from += (unsigned)__builtin_ctzll(left);
      return from < end ? from : end;
    }
    from = (from / 64 + 1) * 64;
  }
  return end;
}

unsigned
tni_page_units(const tni_heap_page *page, uint32_t index)
{
  uint32_t next = index + 1;
  while (next < page->blocks && tni_page_continues(page, next))
    next++;
  return next - index;
}

bool
tni_page_put_units(tni_heap_page *page, uint32_t index)
{
  if (tni_page_continues(page, index))
    return false;
  const unsigned units = tni_page_units(page, index);
  host_fill(tni_page_continued(page), index + 1, units - 1, false);
  host_fill(page->bits, index, units, true);
  if (index / 64 < page->hint)
    page->hint = (uint16_t)(index / 64);
  page->free += units;
  return true;
}

/* ---- Taking from one ------------------------------------------------------------- */

/* Every so many units lies one that is aligned for blocks of so many:
 * [host.align]. */
static unsigned
host_step(const tni_heap_page *page, unsigned units)
{
  const size_t size = page->size * units;
  const size_t unit_align = page->size & -page->size;
  return (unsigned)((size & -size) / unit_align);
}

size_t
tni_host_take_from(tni_heap_page *page, unsigned units, void **out, size_t n)
{
  const unsigned step = host_step(page, units);
  unsigned char *const start = tni_page_start(page);
  unsigned at = page->hint * 64u;
  size_t taken = 0;
  while (taken < n) {
    const unsigned low = host_next(page->bits, at, page->blocks, true);
    const unsigned high = host_next(page->bits, low, page->blocks, false);
    if (low == page->blocks)
      break;
    unsigned index = (unsigned)tni_round_up(low, step);
    for (; taken < n && index + units <= high; index += units) {
      host_fill(page->bits, index, units, false);
      host_fill(tni_page_continued(page), index + 1, units - 1, true);
      tni_page_soil(page, index * page->size, (index + units) * page->size);
      out[taken++] = start + index * page->size;
    }
    at = high;
  }
  page->free -= (uint32_t)(taken * units);
  while (page->free > 0 && page->bits[page->hint] == 0)
    page->hint++;
  for (size_t i = 0; i < taken / 2; i++) {
    void *const block = out[i];
    out[i] = out[taken - 1 - i];
    out[taken - 1 - i] = block;
  }
  return taken;
}

/* ---- Lists --------------------------------------------------------------------- */

/* Each list is a ring, which local->hosts names a page of. */
static void
host_list(tni_heap_local *local, tni_heap_page *page)
{
  tni_heap_page **const list = &local->hosts[page->size_class];
  page->is_listed = 1;
  tni_heap_page *const next = *list ? *list : page;
  tni_heap_page *const prev = *list ? next->prev : page;
  page->next = next;
  page->prev = prev;
  prev->next = page;
  next->prev = page;
  *list = page;
  local->host_classes |= (uint32_t)1 << page->size_class;
}

void
tni_host_unlist(tni_heap_local *local, tni_heap_page *page)
{
  tni_heap_page **const list = &local->hosts[page->size_class];
  tni_heap_page *const next = page->next;
  tni_heap_page *const prev = page->prev;
  prev->next = next;
  next->prev = prev;
  if (*list == page)
    *list = next == page ? NULL : next;
  if (!*list)
    local->host_classes &= ~((uint32_t)1 << page->size_class);
  page->is_listed = 0;
}

void
tni_host_open(tni_heap_page *page)
{
  memset(tni_page_continued(page), 0,
         tni_page_words(page) * sizeof *page->bits);
  tni_store_relaxed(&page->is_host, 1);
  page->fits = TNI_HOST_UNITS;
}

void
tni_host_settle(tni_heap_local *local, tni_heap_page *page)
{
  const bool has_much = page->free >= page->blocks - page->blocks / 4;
  if (has_much)
    page->fits = TNI_HOST_UNITS;  // worth searching again
  if (!page->is_listed && has_much)
    host_list(local, page);
}

/* ---- Finding one ------------------------------------------------------------------- */

/* Blocks from the hosts of one class. */
static size_t
host_take_listed(tni_heap_local *local, unsigned host_class, unsigned units,
                 void **out, size_t n)
{
  tni_heap_page **const list = &local->hosts[host_class];
  unsigned tries = 0;
  for (unsigned looks = 0; *list && looks < HOST_LOOKS; looks++) {
    tni_heap_page *const page = *list;
    if (page->fits >= units) {
      const size_t taken = tni_host_take_from(page, units, out, n);
      page->age = local->tick;
      if (page->free == 0)
        tni_host_unlist(local, page);
      if (taken > 0)
        return taken;
      page->fits = (uint8_t)(units - 1);
      if (++tries == HOST_TRIES)
        return 0;
    }
    if (*list == page)
      *list = page->next;
  }
  return 0;
}

/* Whether so much of a handle's pages is free that it matters. */
static bool
host_is_wanted(const tni_heap_local *local)
{
  /* Who frees blocks of others' pages gives more than was taken. */
  const ptrdiff_t given = (ptrdiff_t)tni_load_relaxed(&local->given);
  const ptrdiff_t waste = (ptrdiff_t)local->paged - (given > 0 ? given : 0);
  return waste > (ptrdiff_t)HOST_WASTE &&
         waste > (ptrdiff_t)(local->paged / HOST_SHARE);
}

/* Make a host of a page of a class that has several sparse ones. */
static bool
host_make(tni_heap_local *local, unsigned host_class)
{
  tni_heap_page *page = local->partial[host_class];
  tni_heap_page *const first = page;
  unsigned sparse = 0;
  for (; page && sparse < HOST_SPARE; page = page->next, sparse++)
    if (!tni_host_is_sparse(page) || page->free == page->blocks)
      return false;
  if (sparse < HOST_SPARE || !first->space->is_ours)
    return false;
  tni_local_unlist(local, first);
  tni_local_map(first, 0);
  tni_host_open(first);
  host_list(local, first);
  return true;
}

size_t
tni_host_take(tni_heap_local *local, unsigned size_class, void **out, size_t n)
{
  const size_t size = tni_class_size(size_class);
  if (size >= TNI_HOST_MAX || tni_heap_is_apart(local->heap))
    return 0;
  const bool is_wanted = host_is_wanted(local);
  if (!is_wanted && local->host_classes == 0)
    return 0;
  for (unsigned c = TNI_HOST_FIRST; c <= TNI_HOST_LAST; c++) {
    if (!local->hosts[c] && !local->partial[c])
      continue;
    const size_t unit = tni_class_size(c);
    const size_t units = size / unit;
    if (units == 0)
      break;
    if (units * unit != size || units > TNI_HOST_UNITS)
      continue;
    size_t taken = host_take_listed(local, c, (unsigned)units, out, n);
    if (taken == 0 && c != size_class && is_wanted && host_make(local, c))
      taken = host_take_listed(local, c, (unsigned)units, out, n);
    if (taken > 0) {
      tni_store_relaxed(&local->lodged,
                        tni_load_relaxed(&local->lodged) + taken);
      return taken;
    }
  }
  return 0;
}
