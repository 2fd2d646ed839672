/* test_shared_pool.c -- a shared pool under threads that allocate, hand over
 * and free, and everything that one thread can ask of it
 *
 * Covers  [shared.live] [shared.order] [shared.full]; test/death/ has
 *         [shared.size] [shared.align] [shared.foreign] [shared.twice]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <tenure/shared.h>
#include <tenure/source.h>
#include <tenure/vm.h>

#include "../provider/conform.h"
#include "../provider/malloc_provider.h"

enum { THREADS = 4, ROUNDS = 20000, HELD = 16, SLOTS = 8 };

static tn_shared *shared;
static void *_Atomic slots[SLOTS];  // blocks on their way to another thread

/* A block is filled with its owner's words; whoever gets it next reads them. */
static void
use(void *block, size_t size, uint64_t word)
{
  uint64_t *const words = block;
  for (size_t i = 0; i < size / sizeof word; i++)
    words[i] = word;
}

static bool
is_used(const void *block, size_t size, uint64_t word)
{
  const uint64_t *const words = block;
  for (size_t i = 0; i < size / sizeof word; i++)
    if (words[i] != word)
      return false;
  return true;
}

static void *
worker(void *argument)
{
  const uint64_t id = (uint64_t)(uintptr_t)argument;
  uint64_t random = id * 77, held_word[HELD] = {0};
  void *held[HELD] = {NULL};
  for (uint64_t round = 0; round < ROUNDS; round++) {
    const size_t i = test_random(&random) % HELD;
    if (held[i] == NULL) {
      held[i] = tn_shared_alloc(shared);
      held_word[i] = id << 32 | round;
      if (TEST(held[i] != NULL))
        use(held[i], 48, held_word[i]);
      continue;
    }
    TEST(is_used(held[i], 48, held_word[i]));
    if (test_random(&random) % 2) {
      tn_shared_free(shared, held[i]);
    } else {
      /* Hand it over, and free what somebody else has handed over. */
      void *const other = atomic_exchange_explicit(
          &slots[test_random(&random) % SLOTS], held[i], memory_order_acq_rel);
      if (other != NULL) {
        TEST(is_used(other, 48, *(uint64_t *)other));
        tn_shared_free(shared, other);
      }
    }
    held[i] = NULL;
  }
  for (size_t i = 0; i < HELD; i++)
    if (held[i] != NULL)
      tn_shared_free(shared, held[i]);
  return NULL;
}

/* As many blocks as can be live at once, and none too few: [shared.full]. */
static void
check_threads(tn_provider *memory, unsigned shards)
{
  const tn_shared_options how = {.memory = memory,
                                 .most = THREADS * HELD + SLOTS + THREADS,
                                 .shards = shards};
  if (!TEST(tn_shared_create(&shared, 48, &how) == TN_OK))
    return;
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    TEST(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)) == 0);
  for (int i = 0; i < THREADS; i++)
    TEST(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < SLOTS; i++)
    if (slots[i] != NULL) {
      tn_shared_free(shared, slots[i]);
      slots[i] = NULL;
    }
  TEST(tn_shared_get_stats(shared).live == 0);
  /* All can be had again, each once. */
  uint32_t count = 0;
  for (void *block; (block = tn_shared_alloc(shared)) != NULL; count++)
    use(block, 48, count);
  TEST(count == how.most);
  tn_shared_destroy(shared);
}

/* One thread: every size finds its blocks' numbers without a division. */
static void
test_sizes(void)
{
  for (size_t size = 1; size < 400; size += 1 + size / 8) {
    static void *blocks[1000];
    const tn_shared_options how = {.most = 1000};
    if (!TEST(tn_shared_create(&shared, size, &how) == TN_OK))
      return;
    for (int i = 0; i < 1000; i++) {
      blocks[i] = tn_shared_alloc(shared);
      if (!TEST(blocks[i] != NULL))
        return;
      memset(blocks[i], i & 255, size);
    }
    TEST(tn_shared_alloc(shared) == NULL);
#if TN_DEBUG == 0 && TN_HARDEN == 0
    /* What is no block is left alone. */
    for (size_t offset = 1; offset < tn_shared_get_stats(shared).stride;
         offset++)
      tn_shared_free(shared, (char *)blocks[7] + offset);
    tn_shared_free(shared, &size);
    TEST(tn_shared_get_stats(shared).live == 1000);
#endif
    for (int i = 0; i < 1000; i++) {
      TEST(*(unsigned char *)blocks[i] == (i & 255));
      tn_shared_free(shared, blocks[i]);
    }
#if TN_DEBUG == 0 && TN_HARDEN == 0
    tn_shared_free(shared, blocks[3]);  // twice
#endif
    TEST(tn_shared_get_stats(shared).live == 0);
    TEST(tn_shared_alloc(shared) == blocks[999]);
    tn_shared_free_all(shared);
    TEST(tn_shared_get_stats(shared).live == 0);
    TEST(tn_shared_alloc(shared) != NULL);
    tn_shared_destroy(shared);
  }
}

static void
test_impossible(void)
{
  tn_shared *none = NULL;
  const tn_shared_options too_many = {.most = UINT32_C(1) << 31},
                          shards = {.shards = 32}, three = {.shards = 3},
                          far = {.align = (size_t)1 << 40};
  TEST(tn_shared_create(&none, 8, &too_many) == TN_ERANGE);
  TEST(tn_shared_create(&none, 8, &shards) == TN_ERANGE);
  TEST(tn_shared_create(&none, 8, &three) == TN_ERANGE);
  TEST(tn_shared_create(&none, 8, &far) == TN_ERANGE);
  TEST(tn_shared_create(&none, SIZE_MAX / 4, NULL) == TN_ERANGE);
  unsigned char buffer[1000];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  const tn_shared_options small = {.memory = &fixed.provider};
  TEST(tn_shared_create(&none, 8, &small) == TN_ENOMEM);
  TEST(none == NULL);
}

static void
test_provider(void)
{
  const tn_shared_options how = {.align = 256, .most = 40};
  TEST(tn_shared_create(&shared, 4096, &how) == TN_OK);
  tn_shared_provider offered = tn_shared_provide(shared);
  conform_provider(&(conform_case){
      .provider = &offered.provider, .max_align_log2 = 8, .steps = 20000});
  TEST(tn_shared_get_stats(shared).live == 0);
  char text[200];
  void *const block = tn_shared_alloc(shared);
  tn_describe((char *)block + 9, text, sizeof text);
  TEST_TEXT(text, "shared: 9 bytes into a live block of 4096 bytes");
  tn_shared_destroy(shared);
}

int
main(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  (void)test_seed();
  check_threads(NULL, 0);
  check_threads(&memory.provider, 1);
  check_threads(NULL, 2);
  test_sizes();
  test_impossible();
  test_provider();
  TEST(memory.live_bytes == 0);
  return test_done();
}
