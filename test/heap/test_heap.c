/* test_heap.c -- heaps, their blocks and what they say about themselves
 *
 * Covers  [heap.align] [heap.live] [heap.zero] [heap.same] [heap.limit]
 *         [heap.options]  *         [local.stack] [provider.align] [provider.grant] [provider.zero]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>
#include <tenure/source.h>
#include <tenure/vm.h>

#include "heap/heap.h"
#include "provider/conform.h"
#include "test.h"

static void
conform(tn_heap *heap, size_t capacity)
{
  conform_provider(&(conform_case){.provider = tn_heap_provider(heap),
                                   .capacity = capacity,
                                   .max_align_log2 = 12,
                                   .steps = 4000});
}

static void
providers(void)
{
  conform(tn_heap_default(), 0);
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  if (TEST(heap != NULL))
    conform(heap, 0);
  tn_heap_destroy(heap);

  static unsigned char buffer[1 << 20];
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.name = "inside";
  options.buffer = buffer;
  options.buffer_size = sizeof buffer;
  tn_heap *const inside = tn_heap_create(&options, NULL);
  if (TEST(inside != NULL)) {
    conform(inside, sizeof buffer);
    const tn_block block = tn_heap_allocate(inside, 100, 16, 0);
    TEST((unsigned char *)block.pointer > buffer &&
         (unsigned char *)block.pointer < buffer + sizeof buffer);
    TEST(tn_heap_of(block.pointer) == inside);
    char text[200];
    (void)tn_describe(block.pointer, text, sizeof text);
    TEST(strstr(text, "heap \"inside\"") != NULL);
    tn_heap_free_any(block.pointer);
  }
  tn_heap_destroy(inside);

  options = TN_HEAP_DEFAULTS;
  options.provider = tn_heap_provider(tn_heap_default());
  tn_heap *const nested = tn_heap_create(&options, NULL);
  if (TEST(nested != NULL))
    conform(nested, 0);
  tn_heap_destroy(nested);
  tn_heap_stats stats;
  tn_heap_get_stats(tn_heap_default(), &stats);
  TEST(stats.live == 0);
}

/* ---- Random blocks against a list ------------------------------------------------ */

enum { LIVE = 500, STEPS = 60000 };

typedef struct live {
  unsigned char *start;
  size_t size;
  size_t align;
  unsigned char fill;
} live;

static size_t
random_size(uint64_t n)
{
  switch (n % 16) {
  case 0: return n / 16 % 300000;
  case 1:
  case 2: return n / 16 % 20000;
  default: return n / 16 % 700;
  }
}

static void
check(const live *l)
{
  const size_t size = l->size;
  TEST(size == 0 || (l->start[0] == l->fill && l->start[size - 1] == l->fill &&
                     l->start[size / 2] == l->fill));
}

static void
model_step(tn_heap *heap, live *l, uint64_t *random)
{
  const uint64_t n = test_random(random);
  if (!l->start) {
    l->size = random_size(n);
    l->align = n >> 60 < 3 ? (size_t)8 << (n >> 40) % 14 : 16;
    const unsigned flags = n >> 32 & 3 ? 0 : TN_HEAP_ZERO;
    const tn_block block = tn_heap_allocate(heap, l->size, l->align, flags);
    if (!TEST(block.pointer != NULL && block.granted >= l->size))
      return;
    TEST(tni_address(block.pointer) % l->align == 0);
    TEST(tn_heap_granted(block.pointer) == block.granted);
    TEST(!flags || block.zeroed);
    l->start = block.pointer;
    size_t zeros = 0;
    while (block.zeroed && zeros < block.granted && l->start[zeros] == 0)
      zeros++;
    TEST(!block.zeroed || zeros == block.granted);
    l->fill = (unsigned char)(n >> 50);
    memset(l->start, l->fill, l->size);
    return;
  }
  check(l);
  if (n % 8 == 0) {
    const size_t size = 1 + random_size(n / 8);
    const tn_block block = tn_heap_reallocate(heap, l->start, size, l->align);
    if (!TEST(block.pointer != NULL && block.granted >= size))
      return;
    TEST(tni_address(block.pointer) % l->align == 0);
    l->start = block.pointer;
    l->size = tni_min(l->size, size);
    check(l);
    l->size = size;
    memset(l->start, l->fill, size);
    return;
  }
  if (n % 8 == 1 && l->size > 0) {
    const size_t granted = tn_heap_resize(l->start, l->size, l->size + 100);
    if (granted > 0) {
      TEST(granted >= l->size);
      memset(l->start, l->fill, granted);
    }
    check(l);
  }
  tn_heap_free_any(l->start);
  l->start = NULL;
}

static bool
count_block(void *argument, void *block, size_t size)
{
  size_t *const sums = argument;
  (void)block;
  sums[0]++;
  sums[1] += size;
  return true;
}

static bool
stop_at_once(void *argument, void *block, size_t size)
{
  (void)argument, (void)block, (void)size;
  return false;
}

static void
model(tn_heap *heap)
{
  static live blocks[LIVE];
  memset(blocks, 0, sizeof blocks);
  uint64_t random = test_seed();
  for (int i = 0; i < STEPS; i++)
    model_step(heap, &blocks[test_random(&random) % LIVE], &random);
  size_t count = 0;
  size_t bytes = 0;
  for (int i = 0; i < LIVE; i++)
    if (blocks[i].start) {
      count++;
      bytes += tn_heap_granted(blocks[i].start);
    }
  size_t sums[2] = {0, 0};
  TEST(tn_heap_walk(heap, count_block, sums));
  TEST(sums[0] == count && sums[1] == bytes);
  TEST(!tn_heap_walk(heap, stop_at_once, NULL));
  tn_heap_stats stats;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.live == bytes && stats.pages >= bytes);
  for (int i = 0; i < LIVE; i++)
    tn_heap_free_any(blocks[i].start);
  tn_heap_get_stats(heap, &stats);
  TEST(stats.live == 0 && stats.large == 0);
  if (tni_heap_here == &tni_heap_nobody.here)
    return;
  tni_heap_local *const local = tni_local_of(heap);
  for (unsigned c = 0; c < TN_HEAP_CLASSES; c++)
    TEST(*local->stack[c] == NULL);
}

/* ---- Single promises --------------------------------------------------------------- */

static void
alignments(void)
{
  for (unsigned log2 = 3; log2 <= 30; log2++) {
    const size_t align = (size_t)1 << log2;
    const tn_block block = tn_heap_allocate(tn_heap_default(), 100, align, 0);
    if (log2 > 24 && !block.pointer)
      continue;  // little address space
    TEST(tni_address(block.pointer) % align == 0);
    memset(block.pointer, 1, 100);
    tn_heap_free(tn_heap_default(), block.pointer, 100, align);
  }
}

/* With an alignment of 8, what has 24 bytes costs 24. */
static void
density(void)
{
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  void *blocks[2600];
  if (!TEST(heap && tn_heap_allocate_batch(heap, 24, 8, 2600, blocks) == 2600))
    return;
  tn_heap_stats stats;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.pages == TNI_KIB(64));
  TEST(stats.live == (size_t)24 * 2600);
  tn_heap_free_batch(blocks, 2600);
  tn_heap_get_stats(heap, &stats);
  TEST(stats.live == 0);
  tn_heap_destroy(heap);
}

/* Checked libraries let the fast path free nothing but starts of blocks. */
static void
odd_pointers(void)
{
  unsigned char *const p =
      tn_heap_allocate(tn_heap_default(), 100, 16, 0).pointer;
  for (size_t at = 1; TNI_HEAP_CHECKED && at < 100; at++)
    TEST(!tni_heap_try_give(p + at));
  tn_heap_free_any(p);
}

static void
limits(void)
{
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.limit = TNI_MIB(1);
  tn_heap *const heap = tn_heap_create(&options, NULL);
  size_t blocks = 0;
  if (!TEST(heap != NULL))
    return;
  while (tn_heap_allocate(heap, 1000, 16, 0).pointer)
    blocks++;
  TEST(blocks == 16 * (65536 / 1024));
  tn_heap_stats stats;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.pages == TNI_MIB(1) && stats.peak == stats.pages);
  TEST(tn_heap_allocate(heap, TNI_MIB(1), 16, 0).pointer == NULL);
  TEST(tn_heap_allocate(heap, SIZE_MAX - 8, 16, 0).pointer == NULL);
  tn_heap_get_stats(heap, &stats);
  TEST(stats.pages == TNI_MIB(1));  // [heap.same]
  tn_heap_destroy(heap);
}

static bool
give_back(void *argument, size_t bytes)
{
  tn_block *const block = argument;
  (void)bytes;
  tn_heap_free_any(block->pointer);
  block->pointer = NULL;
  return true;
}

/* At the limit the reclaim hook has one chance. */
static void
reclaims(void)
{
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.limit = TNI_MIB(1);
  tn_heap *const heap = tn_heap_create(&options, NULL);
  tn_block cache = tn_heap_allocate(heap, TNI_KIB(900), 16, 0);
  tn_vm_set_reclaim(give_back, &cache);
  TEST(tn_heap_allocate(heap, TNI_KIB(800), 16, 0).pointer != NULL);
  TEST(cache.pointer == NULL);
  TEST(tn_heap_allocate(heap, TNI_KIB(800), 16, 0).pointer == NULL);
  tn_vm_set_reclaim(NULL, NULL);
  tn_heap_destroy(heap);
}

static void
inline_path(void)
{
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  tn_heap_local *const here = tn_heap_here(heap);
  void *blocks[1000];
  if (!TEST(here != NULL && tn_heap_here(heap) == here))
    return;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 1000; i++) {
      blocks[i] = tn_heap_take(here, 48);
      TEST(blocks[i] && tn_heap_of(blocks[i]) == heap);
      memset(blocks[i], i, 48);
    }
    for (int i = 0; i < 1000; i++) {
      TEST(((unsigned char *)blocks[i])[47] == (unsigned char)i);
      tn_heap_give(here, blocks[i], 48);
    }
  }
  void *const large = tn_heap_take(here, 200000);
  TEST(tn_heap_granted(large) >= 200000);
  tn_heap_give(here, large, 200000);
  tn_heap_destroy(heap);
}

static void
texts(void)
{
  char text[900];
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.name = "a \"b\"";
  tn_heap *const heap = tn_heap_create(&options, NULL);
  (void)tn_heap_allocate(heap, 65536, 16, 0);
  const size_t length = tn_heap_json(heap, text, sizeof text);
  TEST(length == strlen(text) && text[length - 1] == '}');
  TEST(strstr(text, "{\"name\": \"a \\\"b\\\"\", \"live\": 65536, ") == text);
  TEST(strstr(text, "\"fragmentation\": 0.") != NULL);
  char cut[20];
  TEST(tn_heap_json(heap, cut, sizeof cut) == 19 && strlen(cut) == 19);
  tn_heap_destroy(heap);
  TEST(tn_heap_good_size(1, 1) == 16 && tn_heap_good_size(24, 8) == 24);
  TEST(tn_heap_good_size(1000, 16) == 1024);
  TEST(tn_heap_good_size(SIZE_MAX, 16) == 0);
  TEST(tn_heap_granted(NULL) == 0 && tn_heap_granted(text) == 0);
  TEST(tn_heap_of(text) == NULL);
  tn_status status;
#if TN_DEBUG == 0 && TN_HARDEN == 0
  options.limit = 0;
  TEST(!tn_heap_create(&options, &status) && status == TN_EINVAL);
#endif
  TEST(tn_heap_create(NULL, &status) != NULL && status == TN_OK);
}

/* Blocks freed in orders that flushes treat otherwise, and none lost. */
static void
orders(void)
{
  enum { BLOCKS = 9000 };
  static void *block[BLOCKS];
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  if (!TEST(heap != NULL))
    return;
  for (unsigned order = 0; order < 6; order++)
    for (size_t size = 16; size <= 208; size += 48) {
      for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = tn_heap_allocate(heap, size, 16, 0).pointer;
        if (TEST(block[i] != NULL))
          memset(block[i], (int)i, size);
      }
      for (size_t i = 0; i < BLOCKS; i++) {
        const size_t nth[] = {i,     BLOCKS - 1 - i, i * 7 % BLOCKS,
                              i ^ 1, i ^ 7,          i / 9 * 9 + (i + 5) % 9};
        const size_t k = nth[order];
        const unsigned char *const p = block[k];
        if (TEST(p != NULL))
          TEST(p[0] == (unsigned char)k && p[size - 1] == (unsigned char)k);
        tn_heap_free(heap, block[k], size, 16);
        block[k] = NULL;
      }
      tn_heap_stats stats;
      tn_heap_get_stats(heap, &stats);
      TEST(stats.live == 0);
    }
  tn_heap_destroy(heap);
}

int
main(void)
{
  providers();
  model(tn_heap_default());
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  model(heap);
  tn_heap_destroy(heap);
  alignments();
  density();
  odd_pointers();
  limits();
  reclaims();
  inline_path();
  texts();
  orders();
  return test_done();
}
