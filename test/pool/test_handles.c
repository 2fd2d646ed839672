/* test_handles.c -- handles against a list of every handle ever given out
 *
 * Covers  [handles.word] [handles.once]; test/death/ has [handles.size]
 *         [handles.align] [handles.stale] [handles.foreign]
 */
#include <tenure/handles.h>
#include <tenure/source.h>
#include <tenure/vm.h>

#include "../provider/conform.h"
#include "../provider/malloc_provider.h"
#include "test.h"

enum { EVER = 40000 };

typedef struct issued {
  tn_handle handle;
  void *object;
  bool is_live;
} issued;

static issued ever[EVER];
static size_t ever_count;

/* Every handle ever given out answers as it should. */
static bool
all_answer(const tn_handles *pool)
{
  for (size_t i = 0; i < ever_count; i++) {
    void *const got = tn_handles_get(pool, ever[i].handle);
    if (got != (ever[i].is_live ? ever[i].object : NULL))
      return false;
  }
  return true;
}

/* The walk visits the live ones. */
static size_t
count_by_walking(const tn_handles *pool)
{
  size_t count = 0;
  for (tn_handle h = tn_handles_next(pool, (tn_handle){0}); h.bits != 0;
       h = tn_handles_next(pool, h)) {
    TEST(tn_handles_get(pool, h) != NULL);
    count++;
  }
  return count;
}

/* With few generations: every slot is used up, nothing comes twice, and no
 * stale handle ever answers.  [handles.once] */
static void
check_to_the_end(uint32_t most, unsigned tag_bits, tn_provider *memory)
{
  tn_handles pool;
  const tn_handles_options how = {
      .memory = memory, .most = most, .tag_bits = tag_bits, .tag = 1};
  if (!TEST(tn_handles_create(&pool, 20, &how) == TN_OK))
    return;
  const tn_handles_stats stats = tn_handles_get_stats(&pool);
  uint64_t random = test_seed();
  size_t live = 0;
  ever_count = 0;
  for (;;) {
    const bool is_full = live == most;
    if (live > 0 && (is_full || test_random(&random) % 2)) {
      size_t i;
      do
        i = test_random(&random) % ever_count;
      while (!ever[i].is_live);
      TEST(tn_handles_free(&pool, ever[i].handle));
      ever[i].is_live = false;
      live--;
    } else {
      void *object;
      const tn_handle h = tn_handles_alloc(&pool, &object);
      if (h.bits == 0 && live == 0)
        break;
      if (h.bits == 0) {  // what is live may have generations left
        tn_handles_free_all(&pool);
        for (size_t i = 0; i < ever_count; i++)
          ever[i].is_live = false;
        live = 0;
        continue;
      }
      for (size_t i = 0; i < ever_count; i++)
        TEST(ever[i].handle.bits != h.bits);
      memset(object, 1, 20);
      ever[ever_count++] = (issued){h, object, true};
      live++;
    }
    if (!TEST(all_answer(&pool)))
      break;
  }
  const tn_handles_stats end = tn_handles_get_stats(&pool);
  TEST(ever_count == (size_t)most * stats.uses_per_slot);
  TEST(end.live == 0 && end.retired == most);
  TEST(count_by_walking(&pool) == live);
  tn_handles_destroy(&pool);
}

/* Many, random, with free_all in between. */
static void
test_model(void)
{
  tn_handles pool;
  uint64_t random = test_seed();
  if (!TEST(tn_handles_create(&pool, 24, NULL) == TN_OK))
    return;
  static uint32_t at[EVER];
  size_t live = 0;
  ever_count = 0;
  while (ever_count < EVER) {
    const uint64_t choice = test_random(&random) % 1000;
    if (choice < 600) {
      void *object;
      const tn_handle h = tn_handles_alloc(&pool, &object);
      if (!TEST(h.bits != 0))
        break;
      memcpy(object, &ever_count, sizeof ever_count);
      at[live++] = (uint32_t)ever_count;
      ever[ever_count++] = (issued){h, object, true};
    } else if (choice == 999) {
      TEST(count_by_walking(&pool) == live);
      if (test_random(&random) % 8 == 0) {
        tn_handles_free_all(&pool);
        while (live > 0)
          ever[at[--live]].is_live = false;
        TEST(all_answer(&pool));
      }
    } else if (live > 0) {
      const size_t i = test_random(&random) % live;
      size_t number;
      memcpy(&number, tn_handles_at(&pool, ever[at[i]].handle), sizeof number);
      TEST(number == at[i]);
      TEST(tn_handles_free(&pool, ever[at[i]].handle));
      ever[at[i]].is_live = false;
      at[i] = at[--live];
    }
  }
  TEST(all_answer(&pool));
  TEST(tn_handles_get_stats(&pool).live == live);
  tn_handles_destroy(&pool);
}

/* Random words are no handles, but for those that are live. */
static void
test_forged(void)
{
  tn_handles pool;
  uint64_t random = test_seed();
  TEST(tn_handles_create(&pool, 8, &(tn_handles_options){.most = 255}) ==
       TN_OK);
  tn_handle live[100];
  for (int i = 0; i < 100; i++)
    live[i] = tn_handles_alloc(&pool, NULL);
  for (int i = 0; i < 50; i++)
    TEST(tn_handles_free(&pool, live[i]));
  size_t wrong = 0;
  for (int i = 0; i < 1000000; i++) {
    const tn_handle h = {(uint32_t)test_random(&random)};
    bool is_live = false;
    for (int j = 50; j < 100 && (h.bits & 255) < 100; j++)
      is_live = is_live || live[j].bits == h.bits;
    wrong += (tn_handles_get(&pool, h) != NULL) != is_live;
  }
  TEST(wrong == 0);
  tn_handles_destroy(&pool);
}

static void
test_tags(void)
{
  tn_handles a, b;
  const tn_handles_options one = {.most = 1000, .tag_bits = 3, .tag = 5};
  tn_handles_options two = one;
  two.tag = 6;
  TEST(tn_handles_create(&a, 8, &one) == TN_OK);
  TEST(tn_handles_create(&b, 8, &two) == TN_OK);
  const tn_handle h = tn_handles_alloc(&a, NULL);
  TEST(tn_handles_alloc(&b, NULL).bits != 0);
  TEST(tn_handles_get(&a, h) != NULL && tn_handles_get(&b, h) == NULL);
#if TN_DEBUG == 0 && TN_HARDEN == 0
  TEST(!tn_handles_free(&b, h));
#endif
  tn_handles_destroy(&a);
  tn_handles_destroy(&b);
}

static void
test_impossible(void)
{
  tn_handles pool = {.size = 77};
  const tn_handles_options too_many = {.most = UINT32_C(1) << 30},
                           no_generation = {.most = 1 << 20, .tag_bits = 10},
                           wide_tag = {.tag_bits = 2, .tag = 4},
                           far = {.align = (size_t)1 << 40};
  TEST(tn_handles_create(&pool, 8, &too_many) == TN_ERANGE);
  TEST(tn_handles_create(&pool, 8, &no_generation) == TN_ERANGE);
  TEST(tn_handles_create(&pool, 8, &wide_tag) == TN_ERANGE);
  TEST(tn_handles_create(&pool, 8, &far) == TN_ERANGE);
  TEST(tn_handles_create(&pool, SIZE_MAX / 8, NULL) == TN_ERANGE);
  unsigned char buffer[256];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  const tn_handles_options small = {.memory = &fixed.provider, .most = 100};
  TEST(tn_handles_create(&pool, 8, &small) == TN_ENOMEM);
  TEST(pool.size == 77);
}

static void
test_typed(void)
{
  typedef struct body {
    double mass;
    int id;
  } body;
  typedef TN_HANDLES(body) bodies;
  bodies pool;
  TEST(tn_handles_create_typed(&pool, NULL) == TN_OK);
  void *object;
  const tn_handle h = tn_handles_alloc(&pool.pool, &object);
  *(body *)object = (body){1, 7};
  TEST(tn_handles_look(&pool, h)->id == 7);
  char text[200];
  tn_describe(object, text, sizeof text);
  TEST_TEXT(text, "handles: 0 bytes into a live block of 16 bytes");
  TEST(tn_handles_free(&pool.pool, h));
  TEST(tn_handles_look(&pool, h) == NULL);
  tn_describe(object, text, sizeof text);
  TEST_TEXT(text, "handles: 0 bytes into a free block of 16 bytes");
  tn_handles_destroy(&pool.pool);
}

/* [handles.word]: a block that is freed by pointer has a handle, which is
 * stale then. */
static void
test_provider(void)
{
  tn_handles pool;
  const tn_handles_options how = {.align = 256, .most = 40};
  TEST(tn_handles_create(&pool, 4096, &how) == TN_OK);
  tn_handles_provider offered = tn_handles_provide(&pool);
  conform_provider(&(conform_case){
      .provider = &offered.provider, .max_align_log2 = 8, .steps = 20000});
  TEST(tn_handles_get_stats(&pool).live == 0);
  unsigned char *const block = tn_allocate(&offered.provider, 100, 16).pointer;
  const tn_handle h = tn_handles_of(&pool, block);
  TEST(h.bits != 0 && tn_handles_get(&pool, h) == block);
  TEST(tn_handles_of(&pool, block + 1).bits == 0);
  TEST(tn_handles_of(&pool, block - 4096).bits == 0);
  TEST(tn_handles_of(&pool, &pool).bits == 0);
  TEST(tn_handles_of(&pool, pool.objects + pool.count * pool.stride).bits == 0);
  tn_release(&offered.provider, block, 100, 16);
  TEST(tn_handles_get(&pool, h) == NULL);
  TEST(tn_handles_of(&pool, block).bits == 0);
  tn_handles_destroy(&pool);
  TEST(tn_handles_create(&pool, 4, NULL) == TN_OK);
  offered = tn_handles_provide(&pool);
  TEST(tn_allocate(&offered.provider, 1, 1).pointer == NULL);
  tn_handles_destroy(&pool);
}

int
main(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  check_to_the_end(15, 24, NULL);
  check_to_the_end(1, 27, NULL);
  check_to_the_end(7, 24, &memory.provider);
  check_to_the_end(63, 24, &memory.provider);
  test_model();
  test_forged();
  test_tags();
  test_impossible();
  test_typed();
  test_provider();
  TEST(memory.live_bytes == 0);
  return test_done();
}
