/* test_heap_harden.c -- what TN_HARDEN=2 adds, and that the others do not
 *
 * Covers  [heap.live]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/heap.h>

#include "heap/heap.h"
#include "test.h"

enum { BLOCKS = 400 };

int
main(void)
{
  tn_heap *const heap = tn_heap_create(NULL, NULL);
  unsigned char *blocks[BLOCKS];
  unsigned ascending = 0;
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = tn_heap_allocate(heap, 64, 16, 0).pointer;
    ascending += i > 0 && blocks[i] == blocks[i - 1] + 64;
  }
  /* Lowest first, or in no order. */
  TEST(TN_HARDEN >= 2 ? ascending < BLOCKS / 4 : ascending == BLOCKS - 1);

  /* What was just freed comes back at once, or late. */
  unsigned same = 0;
  for (int i = 0; i < BLOCKS; i++) {
    void *const freed = blocks[i];
    tn_heap_free_any(freed);
    blocks[i] = tn_heap_allocate(heap, 64, 16, 0).pointer;
    same += blocks[i] == freed;
  }
  TEST(TN_HARDEN >= 2 ? same < BLOCKS / 10 : same == BLOCKS);
  for (int i = 0; i < BLOCKS; i++)
    tn_heap_free_any(blocks[i]);
  tn_heap_stats stats;
  tn_heap_get_stats(heap, &stats);
  TEST(stats.live == 0);
  tn_heap_destroy(heap);
  return test_done();
}
