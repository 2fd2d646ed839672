/* test_ring.c -- rings against a plain queue of blocks
 *
 * Covers  [ring.order] [ring.whole] [ring.room]; test/death/ has [ring.size]
 *         [ring.oldest] [ring.newest] [ring.live]
 */
#include <tenure/ring.h>
#include <tenure/vm.h>

#include "../provider/conform.h"

enum { QUEUE = 4096 };

typedef struct entry {
  unsigned char *block;
  size_t size;
  unsigned char fill;
} entry;

static entry queue[QUEUE];

static _Alignas(16) unsigned char buffer[1 << 16];

static size_t
rounded(size_t size)
{
  return (size + 15) / 16 * 16;
}

static bool
is_filled(const entry *e)
{
  for (size_t i = 0; i < e->size; i++)
    if (e->block[i] != e->fill)
      return false;
  return true;
}

/* What a ring promises at any time, from outside. */
static void
check_state(const tn_ring *ring, const entry *e, size_t count)
{
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += rounded(e[i % QUEUE].size);
  const size_t used = tn_ring_used(ring);
  if (tn_ring_is_mapped(ring))
    TEST(used == bytes && tn_ring_largest(ring) == ring->size - used);
  else
    TEST(used >= bytes && tn_ring_largest(ring) <= ring->size - used);
  TEST(count == 0 || tn_ring_oldest(ring) == e[0].block);
}

/* Push, pop and drop at random; sizes up to `most` bytes. */
static void
check_model(tn_ring *ring, size_t most, int steps, unsigned drops,
            uint64_t seed)
{
  uint64_t random = seed;
  size_t first = 0, count = 0;  // the live ones: queue[first ...] in a circle
  unsigned char fill = 0;
  size_t pushed = 0, refused = 0;
  /* Tides: more pushes for a while, then more pops. */
  for (int step = 0; step < steps; step++) {
    const unsigned tide = step / 300 % 2 ? 35 : 65;
    if (test_random(&random) % 100 < tide && count < QUEUE) {
      const size_t size = 1 + test_random(&random) % most;
      const size_t largest = tn_ring_largest(ring);
      unsigned char *const block = tn_ring_push(ring, size);
      if (!TEST((block != NULL) == (size <= largest)))
        return;
      if (block == NULL) {
        refused++;
        continue;
      }
      TEST((uintptr_t)block % 16 == 0 && block >= ring->base &&
           block < ring->base + ring->size);
      memset(block, ++fill, size);
      queue[(first + count++) % QUEUE] = (entry){block, size, fill};
      pushed++;
    } else if (count > 0 && test_random(&random) % 100 < drops) {
      const entry *const e = &queue[(first + --count) % QUEUE];
      TEST(is_filled(e));
      tn_ring_drop(ring, e->block, e->size);
    } else if (count > 0) {
      const entry *const e = &queue[first];
      TEST(is_filled(e) && tn_ring_oldest(ring) == e->block);
      tn_ring_pop(ring, e->block, e->size);
      first = (first + 1) % QUEUE;
      count--;
    }
    if (first + count <= QUEUE && step % 8 == 0)
      check_state(ring, &queue[first], count);
  }
  TEST(pushed > 0 && (refused > 0 || most < 500));
  for (; count > 0; count--, first = (first + 1) % QUEUE) {
    TEST(is_filled(&queue[first]));
    tn_ring_pop(ring, queue[first].block, queue[first].size);
  }
  TEST(tn_ring_used(ring) == 0 && tn_ring_largest(ring) == ring->size);
}

/* One block as large as all, from wherever the ring has got to: in the mapped
 * ring always, in a buffer only when it can begin again. */
static void
check_whole(tn_ring *ring)
{
  for (int i = 0; i < 20; i++) {
    unsigned char *const a = tn_ring_push(ring, 1000);
    tn_ring_pop(ring, a, 1000);
    unsigned char *const all = tn_ring_push(ring, ring->size);
    if (!TEST(all != NULL))
      return;
    memset(all, i, ring->size);
    TEST(tn_ring_push(ring, 1) == NULL && tn_ring_largest(ring) == 0);
    TEST(tn_ring_used(ring) == ring->size);
    if (i % 2)
      tn_ring_pop(ring, all, ring->size);
    else
      tn_ring_drop(ring, all, ring->size);
    TEST(tn_ring_used(ring) == 0);
  }
}

/* A block across the end is contiguous, and its second part is the ring's
 * start. */
static void
test_across_the_end(void)
{
  tn_ring ring;
  if (!TEST(tn_ring_create(&ring, 1, NULL) == TN_OK) ||
      !TEST(tn_ring_is_mapped(&ring)))
    return;
  const size_t most = ring.size - 64;
  unsigned char *const a = tn_ring_push(&ring, most);
  unsigned char *const b = tn_ring_push(&ring, 32);
  tn_ring_pop(&ring, a, most);
  unsigned char *const c = tn_ring_push(&ring, 1024);
  TEST(c == b + 32 && c + 1024 > ring.base + ring.size);
  memset(c, 42, 1024);
#if !TN_DEBUG
  TEST(ring.base[0] == 42 && ring.base[1024 - 33] == 42);
#endif
  tn_ring_drop(&ring, c, 1024);
  unsigned char *const d = tn_ring_push(&ring, 2048);
  TEST(d == c);
  tn_ring_pop(&ring, b, 32);
  tn_ring_pop(&ring, d, 2048);
  TEST(tn_ring_used(&ring) == 0);
  char text[200];
  tn_describe(ring.base + 5, text, sizeof text);
  TEST(strncmp(text, "ring: ", 6) == 0);
  tn_ring_destroy(&ring);
}

static void
check_provider(tn_ring *ring)
{
  tn_ring_provider offered = tn_ring_provide(ring);
  conform_provider(&(conform_case){.provider = &offered.provider,
                                   .capacity = ring->size,
                                   .max_align_log2 = 10,
                                   .steps = 20000});
}

static void
test_limits(void)
{
  tn_ring ring = {.size = 77};
  TEST(tn_ring_create(&ring, SIZE_MAX, NULL) == TN_ERANGE);
  TEST(tn_ring_create(&ring, SIZE_MAX / 2 + 1, NULL) == TN_ERANGE);
  TEST(tn_ring_create(&ring, SIZE_MAX / 8, NULL) != TN_OK);
  TEST(tn_ring_over(&ring, buffer, 15) == TN_ENOMEM);
  TEST(tn_ring_over(&ring, buffer + 1, 30) == TN_ENOMEM);
  TEST(ring.size == 77);
  TEST(tn_ring_over(&ring, buffer + 1, 31) == TN_OK && ring.size == 16);
  TEST(tn_ring_push(&ring, 17) == NULL);
  TEST(tn_ring_push(&ring, SIZE_MAX) == NULL);
  TEST(tn_ring_push(&ring, SIZE_MAX - 14) == NULL);
  void *const block = tn_ring_push(&ring, 16);
  TEST(block == buffer + 16);
#if TN_DEBUG == 0 && TN_HARDEN == 0
  tn_ring_drop(&ring, buffer, 16);
  tn_ring_drop(&ring, block, SIZE_MAX);
  TEST(tn_ring_used(&ring) == 16);
  TEST(tn_ring_create(&ring, 0, NULL) == TN_EINVAL);
#endif
  tn_ring_reset(&ring);
  TEST(tn_ring_used(&ring) == 0 && tn_ring_push(&ring, 9) == block);
  tn_ring_destroy(&ring);
}

int
main(void)
{
  const uint64_t seed = test_seed();
  tn_ring ring;
  for (unsigned drops = 0; drops < 100; drops += 33) {
    if (!TEST(tn_ring_create(&ring, 20000, NULL) == TN_OK))
      break;
    check_model(&ring, 700, 20000, drops, seed + drops);
    check_model(&ring, 15000, 3000, drops, seed + drops);
    check_whole(&ring);
    check_model(&ring, 200, 3000, drops, seed + drops);
    check_provider(&ring);
    tn_ring_destroy(&ring);
    TEST(tn_ring_over(&ring, buffer + 3, 20000) == TN_OK);
    check_model(&ring, 700, 20000, drops, seed + drops);
    check_model(&ring, 15000, 3000, drops, seed + drops);
    check_whole(&ring);
    check_model(&ring, 200, 3000, drops, seed + drops);
    check_provider(&ring);
    tn_ring_destroy(&ring);
    memset(buffer, 0, sizeof buffer);  // the caller's again
  }
  test_across_the_end();
  test_limits();
  return test_done();
}
