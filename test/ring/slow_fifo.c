/* slow_fifo.c -- ten million blocks of random sizes through a ring, each found as
 * it was written; nothing is lost to fragmentation
 *
 * Covers  [ring.order] [ring.whole]
 */
#include <tenure/ring.h>

#include "test.h"

enum { BLOCKS = 10000000, MOST = 3000 };

/* Each block begins with its number and size, and ends with its number. */
static void
write_block(unsigned char *block, uint32_t number, uint32_t size)
{
  memcpy(block, &number, sizeof number);
  memcpy(block + 4, &size, sizeof size);
  memcpy(block + size - 4, &number, sizeof number);
}

static uint32_t
pop_block(tn_ring *ring, uint32_t number)
{
  unsigned char *const block = tn_ring_oldest(ring);
  uint32_t first, size, last;
  memcpy(&first, block, sizeof first);
  memcpy(&size, block + 4, sizeof size);
  if (!TEST(first == number && size <= MOST))
    exit(1);
  memcpy(&last, block + size - 4, sizeof last);
  if (!TEST(last == number))
    exit(1);
  tn_ring_pop(ring, block, size);
  return size;
}

int
main(void)
{
  uint64_t random = test_seed();
  tn_ring ring;
  if (!TEST(tn_ring_create(&ring, 1 << 16, NULL) == TN_OK))
    return test_done();
  uint32_t oldest = 0;
  size_t live = 0;  // bytes, rounded
  for (uint32_t i = 0; i < BLOCKS; i++) {
    const uint32_t size = 12 + (uint32_t)(test_random(&random) % (MOST - 11));
    const size_t rounded = (size + 15u) & ~(size_t)15;
    unsigned char *block;
    while ((block = tn_ring_push(&ring, size)) == NULL) {
      /* Only when there are not so many bytes at all. */
      if (!TEST(live + rounded > ring.size))
        return test_done();
      live -= (pop_block(&ring, oldest++) + 15u) & ~(size_t)15;
    }
    write_block(block, i, size);
    live += rounded;
  }
  TEST(tn_ring_used(&ring) == live);
  while (oldest < BLOCKS)
    pop_block(&ring, oldest++);
  TEST(tn_ring_used(&ring) == 0);
  tn_ring_destroy(&ring);
  return test_done();
}
