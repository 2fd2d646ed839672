#include "heap/page.h"

#include <string.h>

#include "os/os.h"

/* Bytes that one bit of clean stands for. */
static size_t
page_unit(const tni_heap_page *page)
{
  return (size_t)1 << (page->space->slice_log2 - 4);
}

size_t
tni_page_slices(unsigned size_class, unsigned slice_log2)
{
  const size_t size = tni_class_size(size_class);
  const size_t slice = (size_t)1 << slice_log2;
  if (size * 8 <= slice)
    return 1;
  size_t best = TNI_PAGE_SLICES;
  for (size_t n = TNI_PAGE_SLICES; n > 0; n--) {
    const size_t total = n << slice_log2;
    if (total / size >= 4 && total % size * 16 <= total)
      best = n;
  }
  return best;
}

void
tni_page_init(tni_heap_page *page, unsigned size_class, bool is_clean)
{
  const tni_heap_space *const space = page->space;
  const size_t size = tni_class_size(size_class);
  const size_t total = (size_t)page->slices << space->slice_log2;
  page->size_class = (uint8_t)size_class;
  page->size = size;
  page->reciprocal = (((uint64_t)1 << 40) + size - 1) / size;
  page->blocks = page->free = (uint32_t)(total / size);
  page->hint = 0;
  page->scanned = 0;
  page->key = TN_HARDEN >= 2 ? (uint16_t)tni_place_random(0xffff, 1) : 0;
  page->bits =
      space->bits + ((size_t)(page - space->pages) << space->words_log2);
  page->is_listed = page->is_sampled = 0;
  tni_store_relaxed(&page->is_host, 0);
  tni_store_relaxed(&page->remote, 0);
  for (uint32_t i = 0; i < page->slices; i++) {
    tni_page_set_kind(&page[i], TNI_PAGE_INNER);
    page[i].back = i;
    page[i].clean = is_clean ? 0xffff : 0;
  }
  tni_page_set_kind(page, TNI_PAGE_SMALL);
  const unsigned words = tni_page_words(page);
  memset(page->bits, 0xff, words * sizeof *page->bits);
  if (page->blocks % 64 != 0)
    page->bits[words - 1] = ((uint64_t)1 << page->blocks % 64) - 1;
}

void
tni_page_fini(tni_heap_page *page)
{
  /* Nobody may take a stale record for that of a page: tni_slices_page. */
  const uint32_t last = page->slices - 1;
  for (uint32_t i = 0; i <= last; i++)
    tni_page_set_kind(&page[i],
                      i == 0 || i == last ? TNI_PAGE_BUSY : TNI_PAGE_NONE);
}

void
tni_page_soil(tni_heap_page *page, size_t low, size_t high)
{
  const size_t unit = page_unit(page);
  for (size_t u = low / unit; u <= (high - 1) / unit; u++)
    page[u / 16].clean &= ~((uint32_t)1 << u % 16);
}

uint64_t
tni_page_random(void)
{
  static _Atomic uint64_t state;  // atomic: relaxed; 0 before the first
  uint64_t z = tni_add_relaxed(&state, 0x9e3779b97f4a7c15u);
  if (TN_UNLIKELY(z == 0)) {
    tni_os_entropy(&z, sizeof z);
    tni_add_relaxed(&state, z);
  }
  /* splitmix64 (Steele, Lea, Flood 2014) */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Put blocks into random order (Fisher and Yates). */
static void
page_shuffle(void **blocks, size_t n)
{
  for (size_t i = n; i > 1; i--) {
    const size_t j = (size_t)tni_page_random() % i;
    void *const block = blocks[i - 1];
    blocks[i - 1] = blocks[j];
    blocks[j] = block;
  }
}

/* How many of the lowest bits are set. */
static inline unsigned
page_run(uint64_t bits)
{
  return ~bits ? (unsigned)__builtin_ctzll(~bits) : 64;
}

/* Write n neighbouring blocks, the lowest last; where the last one went. */
static inline void **
page_list(unsigned char *block, size_t size, void **out, size_t n)
{
  for (; n >= 4; n -= 4) {
    out -= 4;
    out[3] = block;
    out[2] = block + size;
    out[1] = block + 2 * size;
    out[0] = block + 3 * size;
    block += 4 * size;
  }
  for (; n > 0; n--) {
    *--out = block;
    block += size;
  }
  return out;
}

size_t
tni_page_take(tni_heap_page *page, void **out, size_t n)
{
  unsigned char *const start = tni_page_start(page);
  const size_t size = page->size;
  const size_t taken = tni_min(n, page->free);
  if (taken == 0)
    return 0;
  void **const last = out + n - taken;
  out += n;
  size_t w = page->hint;
  for (;; w++) {
    uint64_t bits = page->bits[w];
    unsigned char *const base = start + w * 64 * size;
    while (bits && out != last) {
      /* Neighbours together: what is fresh, or was freed in order, is. */
      const unsigned first = (unsigned)__builtin_ctzll(bits);
      const unsigned run = page_run(bits >> first);
      const unsigned count = (unsigned)tni_min(run, (size_t)(out - last));
      unsigned char *block = base + first * size;
      out = page_list(block, size, out, count);
      bits &= ~((((uint64_t)2 << (count - 1)) - 1) << first);
    }
    page->bits[w] = bits;
    if (out == last)
      break;
  }
  TN_CHECK(w < tni_page_words(page), "page.free");
  page->hint = (uint16_t)w;
  page->free -= (uint32_t)taken;
  const size_t low = tni_address(out[taken - 1]) - tni_address(start);
  const size_t high = tni_address(out[0]) - tni_address(start) + size;
  tni_page_soil(page, low, high);
  if (TN_HARDEN >= 2)
    page_shuffle(out, taken);
  return taken;
}

void *
tni_page_take_zero(tni_heap_page *page, size_t *untouched)
{
  uint32_t clean[TNI_PAGE_SLICES];
  for (uint32_t i = 0; i < page->slices; i++)
    clean[i] = page[i].clean;
  void *block = NULL;
  if (tni_page_take(page, &block, 1) == 0)
    return NULL;
  tni_annotate_give(block, page->size);
  const size_t unit = page_unit(page);
  const size_t offset = tni_address(block) - tni_address(tni_page_start(page));
  *untouched = 0;
  for (size_t at = offset; at < offset + page->size;) {
    const size_t u = at / unit;
    const size_t end = tni_min((u + 1) * unit, offset + page->size);
    if (clean[u / 16] >> u % 16 & 1)
      *untouched += end - at;
    else
      memset((unsigned char *)block + (at - offset), 0, end - at);
    at = end;
  }
  return block;
}

/* Whether all blocks that touch [low, high) (offsets) are free; what lies
 * behind the last block is nobody's. */
static bool
page_is_hole(const tni_heap_page *page, size_t low, size_t high)
{
  uint32_t index = tni_page_index(page, low);
  uint32_t last = tni_page_index(page, high - 1);
  if (last >= page->blocks)
    last = page->blocks - 1;
  while (index <= last) {
    const unsigned at = index % 64;
    const uint32_t count = (uint32_t)tni_min(64 - at, last - index + 1);
    const uint64_t mask = (count == 64 ? 0 : (uint64_t)1 << count) - 1;
    if ((page->bits[index / 64] >> at & mask) != mask)
      return false;
    index += count;
  }
  return true;
}

size_t
tni_page_purge_holes(tni_heap_page *page)
{
  const size_t unit = page_unit(page);
  const size_t os_page = tni_os_get_config()->page_size;
  if (unit < os_page || page->size > (size_t)page->free * page->size)
    return 0;
  unsigned char *const start = tni_page_start(page);
  const size_t units = (size_t)page->slices * 16;
  size_t done = 0;
  for (size_t u = 0; u < units; u++) {
    size_t end = u;
    while (end < units && !(page[end / 16].clean >> end % 16 & 1) &&
           page_is_hole(page, end * unit, (end + 1) * unit))
      end++;
    if (end == u)
      continue;
    /* From here on it is zero: [page.clean]. */
    tni_annotate_give(start + u * unit, (end - u) * unit);
    if (tni_os_purge(start + u * unit, (end - u) * unit) != TN_OK)
      return done;
    tni_annotate_take(start + u * unit, (end - u) * unit);
    for (size_t i = u; i < end; i++)
      page[i / 16].clean |= (uint32_t)1 << i % 16;
    done += (end - u) * unit;
    u = end - 1;
  }
  return done;
}

/* [host.units] */
static bool
page_is_host_valid(const tni_heap_page *page)
{
  const uint64_t *const continued = tni_page_continued(page);
  uint64_t before = UINT64_MAX;  // free bits of the word below
  for (unsigned w = 0; w < tni_page_words(page); w++) {
    const uint64_t free_before = page->bits[w] << 1 | before >> 63;
    if (continued[w] & (page->bits[w] | free_before))
      return false;
    before = page->bits[w];
  }
  return true;
}

bool
tni_page_is_valid(const tni_heap_page *page)
{
  uint32_t count = 0;
  for (unsigned w = 0; w < tni_page_words(page); w++) {
    if (page->bits[w] && w < page->hint)
      return false;
    count += (uint32_t)__builtin_popcountll(page->bits[w]);
  }
  return tni_page_kind_of(page) == TNI_PAGE_SMALL && count == page->free &&
         page->free <= page->blocks &&
         (!tni_page_is_host(page) || page_is_host_valid(page));
}
