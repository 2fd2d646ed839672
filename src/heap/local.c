#include "heap/local.h"

#include <string.h>

#include "heap/host.h"
#include "heap/large.h"
#include "heap/purge.h"
#include "heap/remote.h"
#include "heap/window.h"

/* Few are as good as empty for a program that allocates little; a busy class
 * doubles its stack up to 127 blocks, of up to LOCAL_TINY bytes to what
 * LOCAL_TINY_BYTES holds, of more than LOCAL_SMALL to what LOCAL_MAX_BYTES. */
#define LOCAL_FIRST_LOG2 4u
#define LOCAL_TINY_LOG2  6u  // the first of blocks of up to LOCAL_TINY bytes
#define LOCAL_TINY       128u
#define LOCAL_LAST_LOG2  7u
#define LOCAL_SMALL      TNI_KIB(1)
#define LOCAL_MAX_BYTES  TNI_KIB(32)
#define LOCAL_TINY_BYTES TNI_KIB(8)

/* Neighbours that are given back as one, at least and at most, and how many
 * blocks are given back before such are looked for again: twice as many each
 * time that there are none. */
#define LOCAL_ROW     ((size_t)4)
#define LOCAL_ROW_MAX ((size_t)64)
#define LOCAL_STEP    ((size_t)8)

/* ---- Stacks --------------------------------------------------------------------- */

static void **
local_limit(tni_heap_local *local, unsigned size_class)
{
  const unsigned log2 = local->stack_log2[size_class];
  return local->stack[size_class] + (((size_t)1 << log2) - 1);
}

size_t
tni_local_count(tni_heap_local *local, unsigned size_class)
{
  return (size_t)(tni_local_cache(local)->top[size_class] -
                  local->stack[size_class]);
}

static unsigned
local_max_log2(unsigned size_class)
{
  const size_t size = tni_class_size(size_class);
  const size_t bytes = size <= LOCAL_TINY ? LOCAL_TINY_BYTES : LOCAL_MAX_BYTES;
  const size_t fit = bytes / size;
  const unsigned log2 = tni_log2_floor(fit | 1) + (fit < 2);
  const bool is_more = log2 > LOCAL_LAST_LOG2;
  return (size <= LOCAL_TINY && is_more) || (size > LOCAL_SMALL && !is_more)
             ? log2
             : LOCAL_LAST_LOG2;
}

/* Give the class a stack, or one twice as large when it has not its largest;
 * false: it stays as it is. */
static bool
local_grow_stack(tni_heap_local *local, unsigned size_class)
{
  tn_heap_local *const cache = tni_local_cache(local);
  const unsigned old_log2 = local->stack_log2[size_class];
  const unsigned max = local_max_log2(size_class);
  unsigned log2 = LOCAL_FIRST_LOG2;
  if (old_log2)
    log2 = old_log2 + 1;
  else if (tni_class_size(size_class) <= LOCAL_TINY)
    log2 = LOCAL_TINY_LOG2;
  log2 = TN_STRESS_TINY ? 1 : log2 < max ? log2 : max;
  if (log2 == old_log2)
    return false;
  void **const stack = tni_meta_allocate(sizeof *stack << log2);
  if (!stack)
    return false;
  size_t count = 0;
  if (old_log2) {
    void **const old = local->stack[size_class];
    count = (size_t)(cache->top[size_class] - old);
    memcpy(stack, old, (count + 1) * sizeof *stack);
    tni_meta_free(old, sizeof *stack << old_log2);
  }
  local->stack[size_class] = stack;
  local->stacked[size_class / 64] |= (uint64_t)1 << size_class % 64;
  local->stack_log2[size_class] = (uint8_t)log2;
  cache->top[size_class] = stack + count;
  cache->limit[size_class] = local_limit(local, size_class);
  return true;
}

static void
local_note_busy(tni_heap_local *local, unsigned size_class)
{
  local->busy[size_class / 64] |= (uint64_t)1 << size_class % 64;
}

/* ---- Taking -------------------------------------------------------------------------- */

static void
local_count_given(tni_heap_local *local, size_t bytes)
{
  const size_t given = tni_load_relaxed(&local->given) + bytes;
  tni_store_relaxed(&local->given, given);
  /* What a handle gave back of others' blocks makes it negative. */
  if ((ptrdiff_t)given > (ptrdiff_t)local->most_given)
    local->most_given = given;
}

/* Blocks from one page into the end of out. */
static size_t
local_take_from(tni_heap_local *local, tni_heap_page *page, void **out,
                size_t n)
{
  const size_t taken = tni_page_take(page, out, n);
  TN_CHECK_SLOW(tni_page_is_valid(page), "page.free");
  page->age = local->tick;
  if (page->free == 0)
    tni_local_unlist(local, page);
  local_count_given(local, taken * page->size);
  return taken;
}

/* Up to n blocks of a class from wherever there are some, into the first
 * entries of out, the lowest last; 0: out of memory. */
static size_t
local_take_some(tni_heap_local *local, unsigned size_class, void **out,
                size_t n)
{
  tni_heap_page *page = tni_local_find_page(local, size_class);
  if (!page) {
    const size_t taken = tni_host_take(local, size_class, out, n);
    if (taken > 0) {
      local_count_given(local, taken * tni_class_size(size_class));
      return taken;
    }
    page = tni_local_new_page(local, size_class);
  }
  return page ? local_take_from(local, page, out, tni_min(n, page->free)) : 0;
}

/* Fill the empty stack half, and take one block of it. */
static void *
local_refill(tni_heap_local *local, unsigned size_class)
{
  tn_heap_local *const cache = tni_local_cache(local);
  local_note_busy(local, size_class);
  tni_purge_note_refill(local);
  (void)local_grow_stack(local, size_class);
  const unsigned log2 = local->stack_log2[size_class];
  void *block = NULL;
  if (log2 == 0) {  // no memory for a stack: one at a time
    (void)local_take_some(local, size_class, &block, 1);
    return block;
  }
  void **const bottom = local->stack[size_class];
  const size_t taken =
      local_take_some(local, size_class, bottom + 1, (size_t)1 << (log2 - 1));
  if (taken == 0)
    return NULL;
  cache->top[size_class] = bottom + taken - 1;
  return bottom[taken];
}

void *
tni_local_take(tni_heap_local *local, unsigned size_class)
{
  tn_heap_local *const cache = tni_local_cache(local);
  if (TN_UNLIKELY(local->is_trapped))
    tni_purge_step(local);
  void *block = *cache->top[size_class];
  if (TN_UNLIKELY(!block)) {
    tni_purge_step(local);
    return local_refill(local, size_class);
  }
  cache->top[size_class]--;
  return block;
}

void *
tni_local_take_zero(tni_heap_local *local, unsigned size_class,
                    size_t *untouched)
{
  *untouched = 0;
  tni_heap_page *page = tni_local_find_page(local, size_class);
  if (!page)
    page = tni_local_new_page(local, size_class);
  if (!page)
    return NULL;
  void *const block = tni_page_take_zero(page, untouched);
  page->age = local->tick;
  if (page->free == 0)
    tni_local_unlist(local, page);
  local_count_given(local, page->size);
  return block;
}

size_t
tni_local_take_batch(tni_heap_local *local, unsigned size_class, void **out,
                     size_t n)
{
  size_t done = 0;
  tni_purge_step(local);
  while (done < n) {
    const size_t taken =
        local_take_some(local, size_class, out + done, n - done);
    if (taken == 0)
      return done;
    done += taken;
  }
  return done;
}

/* ---- Giving ----------------------------------------------------------------------------- */

/* The space of a block that is not in the first one. */
static TN_COLD const tni_heap_space *
local_find_space(const tn_heap *heap, const void *block)
{
  /* Its own spaces may lie within a block of another heap. */
  const tni_heap_space *space = tni_load_acquire(&heap->spaces);
  if (!space)
    return tni_slices_find(block);
  while (tni_address(block) - tni_address(space->owner.base) >=
         space->owner.size)
    space = space->next;
  return space;
}

tni_heap_page *
tni_heap_page_of(const tn_heap *heap, const void *block)
{
  const tni_heap_space *space = tni_heap_map.space;
  const size_t offset = tni_address(block) - tni_address(tni_heap_map.base);
  if (TN_UNLIKELY(offset >= tni_load_relaxed(&tni_heap_map.size) ||
                  tni_heap_is_apart(heap)))
    space = local_find_space(heap, block);
  tni_heap_page *const page =
      space->pages +
      ((tni_address(block) - tni_address(space->base)) >> space->slice_log2);
  return page - page->back;
}

static TN_COLD void
local_refuse(void)
{
  tn_contract_broken("heap.block",
                     "a block was freed twice, or the pointer is "
                     "inside a block",
                     __FILE__, __LINE__);
}

void
tni_local_return(tni_heap_local *local, void *block)
{
  tni_heap_page *const page = tni_heap_page_of(local->heap, block);
  if (TN_UNLIKELY(tni_page_kind_of(page) != TNI_PAGE_SMALL)) {
    tni_heap_large_free(page, block);
    return;
  }
  const size_t offset = tni_address(block) - tni_address(tni_page_start(page));
  local_count_given(local, -tni_page_granted(page, offset));
  if (page->owner != local) {
    tni_store_relaxed(&local->remote, tni_load_relaxed(&local->remote) + 1);
    if (!tni_remote_free(page, offset))
      local_refuse();
    return;
  }
  if (!tni_page_put(page, offset))
    local_refuse();
  TN_CHECK_SLOW(tni_page_is_valid(page), "page.free");
  if (!page->is_listed || page->free == page->blocks || tni_page_is_host(page))
    tni_local_settle(local, page);
}

/* What is needed of a page for giving many of its blocks back. */
typedef struct local_sink {
  uintptr_t start;
  size_t size;
  size_t span;
  uint64_t reciprocal;
  uint64_t *bits;
  size_t hint;
} local_sink;

/* How many blocks follow one another in memory, at most LOCAL_ROW_MAX; 0 when
 * they are less than LOCAL_ROW.  They often do where something is freed in the
 * order in which it was made. */
static inline size_t
local_row(void *const *blocks, size_t n, size_t size)
{
  const uintptr_t first = tni_address(blocks[0]);
  if (n < LOCAL_ROW ||  // most others differ here
      tni_address(blocks[LOCAL_ROW - 1]) != first + (LOCAL_ROW - 1) * size)
    return 0;
  n = tni_min(n, LOCAL_ROW_MAX);
  uintptr_t next = first + size;
  size_t k = 1;
  while (k < n && tni_address(blocks[k]) == next) {
    next += size;
    k++;
  }
  return k < LOCAL_ROW ? 0 : k;
}

/* Give a row back; 0: it is not all of this page. */
static inline size_t
local_return_row(local_sink *sink, void **blocks, size_t n)
{
  const size_t offset = tni_address(blocks[0]) - sink->start;
  if (offset >= sink->span || offset + (n - 1) * sink->size >= sink->span)
    return 0;
  const size_t index = offset * sink->reciprocal >> 40;  // tni_page_index
  if (TN_UNLIKELY(index * sink->size != offset ||
                  !tni_page_put_row(sink->bits, index, n)))
    local_refuse();
  sink->hint = tni_min(sink->hint, index / 64);
  return n;
}

/* Give blocks back one by one, until one is of another page; how many. */
static inline size_t
local_return_few(local_sink *sink, void **blocks, size_t n)
{
  size_t at = sink->hint;  // which word is in word: many blocks share one
  uint64_t word = sink->bits[at];
  size_t i = 0;
  for (; i < n; i++) {
    const size_t offset = tni_address(blocks[i]) - sink->start;
    if (offset >= sink->span)
      break;
    const size_t index = offset * sink->reciprocal >> 40;  // tni_page_index
    if (index / 64 != at) {
      sink->bits[at] = word;
      at = index / 64;
      word = sink->bits[at];
      sink->hint = tni_min(sink->hint, at);
    }
    const uint64_t bit = (uint64_t)1 << index % 64;
    if (TN_UNLIKELY(index * sink->size != offset || (word & bit)))
      local_refuse();
    word |= bit;
  }
  sink->bits[at] = word;
  return i;
}

/* Give those blocks back, from the first on, that are in one page of this
 * handle's; how many. */
static size_t
local_return_run(tni_heap_page *page, void **blocks, size_t n)
{
  local_sink sink = {tni_address(tni_page_start(page)),
                     page->size,
                     page->blocks * page->size,
                     page->reciprocal,
                     page->bits,
                     page->hint};
  size_t step = LOCAL_STEP;
  size_t i = 0;
  while (i < n) {
    size_t done = local_row(blocks + i, n - i, sink.size);
    if (done > 0)
      done = local_return_row(&sink, blocks + i, done);
    if (done > 0) {
      step = LOCAL_STEP;
    } else {
      done = local_return_few(&sink, blocks + i, tni_min(n - i, step));
      step *= 2;
    }
    if (done == 0)
      break;
    i += done;
  }
  page->hint = (uint16_t)sink.hint;
  page->free += (uint32_t)i;
  if (i == 0)
    local_refuse();  // behind the last block
  return i;
}

/* Give many blocks back: neighbours in a stack are often of one page. */
static void
local_return_all(tni_heap_local *local, void **blocks, size_t n)
{
  for (size_t i = 0; i < n;) {
    tni_heap_page *const page = tni_heap_page_of(local->heap, blocks[i]);
    if (page->owner != local || tni_page_kind_of(page) != TNI_PAGE_SMALL ||
        tni_page_is_host(page)) {
      tni_local_return(local, blocks[i++]);
      continue;
    }
    const size_t done = local_return_run(page, blocks + i, n - i);
    TN_CHECK_SLOW(tni_page_is_valid(page), "page.free");
    i += done;
    local_count_given(local, -(done * page->size));
    if (!page->is_listed || page->free == page->blocks)
      tni_local_settle(local, page);
  }
}

void
tni_local_flush(tni_heap_local *local, unsigned size_class, size_t n)
{
  tn_heap_local *const cache = tni_local_cache(local);
  void **const bottom = local->stack[size_class];
  void **const top = cache->top[size_class];
  const size_t count = (size_t)(top - bottom);
  n = tni_min(n, count);
  const size_t remote = tni_load_relaxed(&local->remote);
  local_return_all(local, bottom + 1, n);
  memmove(bottom + 1, bottom + 1 + n, (count - n) * sizeof *bottom);
  cache->top[size_class] = top - n;
  if (tni_load_relaxed(&local->remote) != remote)
    tni_store_relaxed(&local->batches, tni_load_relaxed(&local->batches) + 1);
}

/* Make room on a stack that is full, or as good as none. */
static bool
local_make_room(tni_heap_local *local, unsigned size_class)
{
  tn_heap_local *const cache = tni_local_cache(local);
  local_note_busy(local, size_class);
  tni_purge_step(local);
  if (cache->top[size_class] != cache->limit[size_class] ||
      local_grow_stack(local, size_class))
    return true;
  const unsigned log2 = local->stack_log2[size_class];
  if (log2 == 0)
    return false;
  tni_local_flush(local, size_class, (size_t)1 << (log2 - 1));
  return true;
}

/* Put a block into the quarantine; what comes out, or NULL. */
static void *
local_wait(tni_heap_local *local, void *block)
{
#if TN_HARDEN >= 2
  void **const at = &local->quarantine[tni_page_random() % TNI_QUARANTINE];
  void *const out = *at;
  *at = block;
  return out;
#else
  (void)local;
  return block;
#endif
}

/* Empty the quarantine. */
static void
local_end_waiting(tni_heap_local *local)
{
#if TN_HARDEN >= 2
  for (unsigned i = 0; i < TNI_QUARANTINE; i++) {
    void *const block = local->quarantine[i];
    local->quarantine[i] = NULL;
    if (block)
      tni_local_return(local, block);
  }
#else
  (void)local;
#endif
}

void
tni_local_give(tni_heap_local *local, void *block, unsigned size_class)
{
  if (TN_HARDEN >= 2) {
    block = local_wait(local, block);
    if (!block)
      return;
    const tni_heap_page *const page = tni_heap_page_of(local->heap, block);
    size_class = tni_page_class(page, tni_address(block) -
                                          tni_address(tni_page_start(page)));
  }
  tn_heap_local *const cache = tni_local_cache(local);
  const bool is_full = cache->top[size_class] == cache->limit[size_class];
  if (TN_UNLIKELY(is_full) && !local_make_room(local, size_class)) {
    tni_local_return(local, block);
    return;
  }
  *++cache->top[size_class] = block;
  TN_CHECK(cache->top[size_class] <= local_limit(local, size_class),
           "local.stack");
}

void
tni_local_flush_all(tni_heap_local *local)
{
  tni_window_flush(local);
  local_end_waiting(local);
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++)
    if (local->stack_log2[c] != 0)
      tni_local_flush(local, c, SIZE_MAX);
  tni_remote_collect(local);
}
