/* owner.c -- whose is this block: a tag before each against the page map
 *
 * A tag is a word before the block; the block must stay aligned to 16, so it
 * takes 16 bytes.  The page map has 8 bytes for each 64 KiB, whatever is in
 * them, and pages of its own.  Both are asked for blocks picked at random: from
 * 32 MiB of each size, so that a tag brings its block's cache line along; and
 * of 64 bytes from less and more of them, to see from where on that matters.
 */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenure/vm.h>

#include "vm/pagemap.h"

enum { SPAN = 32 << 20, LOOKUPS = 1 << 16, TAG = 16 };

static unsigned pick[LOOKUPS];
static volatile uintptr_t answer;

static void
choose(size_t count)
{
  uint64_t state = 11;
  for (size_t i = 0; i < LOOKUPS; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    pick[i] = (unsigned)((state >> 33) % count);
  }
}

/* ns of a look-up, the best of several rounds.  The next block depends on the
 * answer, as it does when an owner is wanted to do something with it. */
static double
time_tags(unsigned char *base, size_t stride)
{
  double best = 1e300;
  for (int round = 0; round < 7; round++) {
    uintptr_t sum = 0;
    const double begin = table_now();
    for (size_t i = 0; i < LOOKUPS; i++) {
      unsigned char *const p = base + (size_t)pick[i] * stride + (sum & 1);
      sum += *(const uintptr_t *)(const void *)p & 1;
    }
    const double ns = (table_now() - begin) / LOOKUPS;
    answer = sum;
    best = ns < best ? ns : best;
  }
  return best;
}

static double
time_map(unsigned char *base, size_t stride)
{
  double best = 1e300;
  for (int round = 0; round < 7; round++) {
    uintptr_t sum = 0;
    const double begin = table_now();
    for (size_t i = 0; i < LOOKUPS; i++) {
      unsigned char *const p = base + (size_t)pick[i] * stride + (sum & 1);
      sum += (uintptr_t)tni_pagemap_find(p) & 1;
    }
    const double ns = (table_now() - begin) / LOOKUPS;
    answer = sum;
    best = ns < best ? ns : best;
  }
  return best;
}

/* What the map takes for SPAN bytes: the slots, in whole pages. */
static double
map_bytes(void)
{
  const size_t page = tn_vm_page_size();
  const size_t slots = (size_t)SPAN / TNI_SLICE_SIZE * sizeof(void *);
  const size_t pages = (slots + page - 1) / page;
  return (double)((pages + 1) * page);  // and one of the root
}

/* Blocks of 64 bytes, from 8 KiB to SPAN of them: from where on the map is the
 * faster one; 0 when it never is. */
static size_t
compare_spans(unsigned char *memory)
{
  const size_t size = 64;
  size_t faster_from = 0;
  char metric[48];
  for (size_t span = 8 << 10; span <= SPAN; span *= 4) {
    choose(span / (size + TAG));
    const double tag_ns = time_tags(memory, size + TAG);
    const double map_ns = time_map(memory, size);
    snprintf(metric, sizeof metric, "tag_span_ns_%zu", span >> 10);
    table_print(metric, tag_ns);
    snprintf(metric, sizeof metric, "map_span_ns_%zu", span >> 10);
    table_print(metric, map_ns);
    if (map_ns > tag_ns)
      faster_from = 0;
    else if (!faster_from)
      faster_from = span;
  }
  return faster_from >> 10;
}

void
table_owner(void)
{
  void *memory;
  char metric[48];
  size_t shared = 0, first_percent = 0;
  if (tn_vm_reserve(2 * (size_t)SPAN, 1, &memory) != TN_OK ||
      tn_vm_commit(memory, 2 * (size_t)SPAN) != TN_OK)
    exit(1);
  memset(memory, 0, 2 * (size_t)SPAN);
  for (size_t size = 8; size <= 4096; size *= 2) {
    const size_t rounded = size < TAG ? TAG : size;
    const size_t tagged = rounded + TAG, count = (size_t)SPAN / tagged;
    choose(count);
    const double tag_ns = time_tags(memory, tagged);
    const double map_ns = time_map(memory, rounded);
    const double map_each = map_bytes() / (double)count;
    snprintf(metric, sizeof metric, "tag_bytes_%zu", size);
    table_print(metric, TAG);
    snprintf(metric, sizeof metric, "map_bytes_%zu", size);
    table_print(metric, map_each);
    snprintf(metric, sizeof metric, "tag_ns_%zu", size);
    table_print(metric, tag_ns);
    snprintf(metric, sizeof metric, "map_ns_%zu", size);
    table_print(metric, map_ns);
    if (!first_percent && 100.0 * TAG / (double)size <= 1)
      first_percent = size;
  }
  shared = (size_t)(map_bytes() / TAG) + 1;
  table_print("blocks_from_which_map_is_smaller", (double)shared);
  table_print("kib_from_which_map_is_faster", (double)compare_spans(memory));
  table_print("size_from_which_tag_is_1_percent", (double)first_percent);
}
