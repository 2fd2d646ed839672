/* sort.c -- a stable sort of indexes by 64-bit keys
 *
 * Radix sort, a byte at a time; bytes in which no key differs are skipped, so
 * that small keys cost little.
 * Cost      O(count) a byte that differs.
 * SPDX-License-Identifier: MIT
 */
#include "plan/plan.h"

#include <string.h>

/* A few keys: by insertion, where clearing 256 counters would dominate. */
static void
sort_few(uint32_t *order, const uint64_t *key, size_t count)
{
  for (size_t i = 1; i < count; i++) {
    const uint32_t moved = order[i];
    size_t at = i;
    for (; at > 0 && key[order[at - 1]] > key[moved]; at--)
      order[at] = order[at - 1];
    order[at] = moved;
  }
}

void
tni_plan_sort(uint32_t *order, const uint64_t *key, size_t count,
              uint32_t *spare)
{
  if (count <= 32) {
    sort_few(order, key, count);
    return;
  }
  uint64_t any = 0;
  for (size_t i = 1; i < count; i++)
    any |= key[order[i]] ^ key[order[0]];
  uint32_t *from = order, *to = spare;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    if (((any >> shift) & 0xff) == 0)
      continue;
    uint32_t at[256] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
      at[(key[from[i]] >> shift) & 0xff]++;
    for (unsigned b = 0; b < 256; b++) {
      const uint32_t here = at[b];
      at[b] = sum;
      sum += here;
    }
    for (size_t i = 0; i < count; i++)
      to[at[(key[from[i]] >> shift) & 0xff]++] = from[i];
    uint32_t *const swap = from;
    from = to;
    to = swap;
  }
  if (from != order)
    memcpy(order, from, count * sizeof *order);
}
