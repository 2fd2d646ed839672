/* test_oom_pool.c -- pools of every kind, with each call of the system failing in
 * turn, and with a provider that runs out
 *
 * Covers  [pool.same] [pool.cached]; test/death/ has [pool.foreign], [pool.freed]
 */
#include <tenure/pool.h>
#include <tenure/source.h>

#include "oom.h"

enum { COUNT = 100, SIZE = 16384 };

/* A block, or the pool is as it was. */
static void *
alloc_or_same(tn_pool *pool)
{
  const tn_pool_stats before = tn_pool_get_stats(pool);
  void *const block = tn_pool_alloc(pool);
  if (block != NULL)
    return memset(block, 1, 64);
  const tn_pool_stats now = tn_pool_get_stats(pool);
  TEST(memcmp(&before, &now, sizeof now) == 0);
  return NULL;
}

/* Grows in several steps, gives back, and grows again. */
static bool
fills(tn_pool *pool)
{
  static void *blocks[COUNT];
  bool ok = true;
  size_t live = 0;
  for (int round = 0; ok && round < 2; round++) {
    for (; ok && live < COUNT; live += ok) {
      blocks[live] = alloc_or_same(pool);
      ok = blocks[live] != NULL;
    }
    while (live > 1)
      tn_pool_free(pool, blocks[--live]);
    tn_pool_trim(pool);
    TEST(tn_pool_get_stats(pool).live == live);
  }
  tn_pool_free_all(pool);
  return ok;
}

static bool
own_space(void)
{
  tn_pool pool;
  const tn_status status =
      tn_pool_create(&pool, SIZE, &(tn_pool_options){.most = 2 * COUNT});
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    return false;
  }
  const bool ok = fills(&pool);
  tn_pool_destroy(&pool);
  return ok;
}

/* Chunks of a provider whose memory is asked for step by step. */
static bool
over_a_provider(void)
{
  tn_reserved reserved;
  const tn_reserved_options asks = {.size = 12 << 20, .asks = true};
  if (tn_reserved_create(&reserved, &asks) != TN_OK)
    return false;
  tn_pool pool;
  const tn_pool_options how = {.memory = &reserved.provider, .most = COUNT};
  TEST(tn_pool_create(&pool, SIZE, &how) == TN_OK);
  const bool ok = alloc_or_same(&pool) != NULL;
  tn_pool_destroy(&pool);
  tn_reserved_destroy(&reserved);
  return ok;
}

static int constructed, destructed;

static bool
construct(void *object, void *argument)
{
  (void)argument;
  *(int *)object = 7;
  constructed++;
  return true;
}

static void
destruct(void *object, void *argument)
{
  (void)argument;
  TEST(*(int *)object == 7);
  destructed++;
}

static bool
cache(void)
{
  static const tn_cache_ops ops = {construct, destruct, NULL};
  tn_cache cache;
  constructed = destructed = 0;
  if (tn_cache_create(&cache, SIZE, &ops,
                      &(tn_pool_options){.most = 2 * COUNT}) != TN_OK)
    return false;
  int got = 0;
  while (got < COUNT && tn_cache_alloc(&cache) != NULL)
    got++;
  TEST(constructed == got);
  tn_cache_destroy(&cache);
  TEST(destructed == constructed);
  return got == COUNT;
}

int
main(void)
{
  TEST(oom_run(own_space) > 4);
  TEST(oom_run(over_a_provider) > 2);
  TEST(oom_run(cache) > 4);
  return test_done();
}
