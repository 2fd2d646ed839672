/* test_pool.c -- pools, typed pools and caches do what their header says
 *
 * Covers  [pool.order] [pool.list] [pool.same] [pool.cached]
 */
#include <tenure/pool.h>
#include <tenure/source.h>
#include <tenure/vm.h>

#include "../provider/conform.h"
#include "../provider/malloc_provider.h"

enum { MANY = 3000 };
static void *blocks[MANY];

/* The block freed last comes first; a block's place is not another's. */
static void
test_order_of_reuse(void)
{
  tn_pool pool;
  if (!TEST(tn_pool_create(&pool, 24, NULL) == TN_OK))
    return;
  for (size_t i = 0; i < MANY; i++) {
    blocks[i] = tn_pool_alloc(&pool);
    if (!TEST(blocks[i] != NULL))
      return;
    memset(blocks[i], (int)(i & 255), 24);
  }
  for (size_t i = 0; i < MANY; i++) {
    TEST(*(unsigned char *)blocks[i] == (i & 255));
    TEST(((unsigned char *)blocks[i])[23] == (i & 255));
  }
  TEST(tn_pool_get_stats(&pool).live == MANY);
  tn_pool_free(&pool, blocks[7]);
  tn_pool_free(&pool, blocks[9]);
  TEST(tn_pool_alloc(&pool) == blocks[9]);
  TEST(tn_pool_alloc(&pool) == blocks[7]);
  tn_pool_free_all(&pool);
  TEST(tn_pool_get_stats(&pool).live == 0);
  void *const again = tn_pool_alloc(&pool);
  TEST(again == blocks[0]);
  tn_pool_destroy(&pool);
}

/* Alignment: what an object of that size can need, or as asked. */
static void
test_alignment(void)
{
  const size_t sizes[] = {1, 8, 12, 16, 24, 100, 4096, 5000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t align = 0; align <= 4096; align = align ? align * 4 : 1) {
      tn_pool pool;
      const tn_pool_options how = {.align = align, .most = 64};
      if (!TEST(tn_pool_create(&pool, sizes[s], &how) == TN_OK))
        return;
      const size_t natural = sizes[s] & -sizes[s];
      const size_t wanted =
          align ? align : (natural < TN_ALIGN ? natural : TN_ALIGN);
      for (int i = 0; i < 64; i++) {
        void *const p = tn_pool_alloc(&pool);
        TEST(p != NULL && (uintptr_t)p % wanted == 0);
        memset(p, 1, sizes[s]);
      }
      TEST(tn_pool_alloc(&pool) == NULL);  // most
      TEST(tn_pool_get_stats(&pool).live == 64);
      tn_pool_destroy(&pool);
    }
}

static void
test_impossible(void)
{
  tn_pool pool = {.size = 77};
  TEST(tn_pool_create(&pool, SIZE_MAX, NULL) == TN_ERANGE);
  TEST(tn_pool_create(&pool, SIZE_MAX - 20, NULL) == TN_ERANGE);
  TEST(tn_pool_create(&pool, 1 << 20,
                      &(tn_pool_options){.most = SIZE_MAX / 2}) == TN_ERANGE);
  TEST(tn_pool_create(&pool, 8, &(tn_pool_options){.align = (size_t)1 << 40}) ==
       TN_ERANGE);
  TEST(pool.size == 77);
#if TN_DEBUG == 0 && TN_HARDEN == 0
  TEST(tn_pool_create(&pool, 0, NULL) == TN_EINVAL);
  TEST(tn_pool_create(&pool, 8, &(tn_pool_options){.align = 3}) == TN_EINVAL);
#endif
  /* A buffer too small for anything: NULL, and the pool is as it was. */
  unsigned char buffer[64];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TEST(tn_pool_create(&pool, 100,
                      &(tn_pool_options){.memory = &fixed.provider}) == TN_OK);
  const tn_pool before = pool;
  TEST(tn_pool_alloc(&pool) == NULL);
  TEST(memcmp(&pool, &before, sizeof pool) == 0);
  tn_pool_destroy(&pool);
}

/* All of a small buffer is used, to the last block that fits. */
static void
test_in_a_buffer(void)
{
  static _Alignas(16) unsigned char buffer[10000];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  tn_pool pool;
  const tn_pool_options how = {.memory = &fixed.provider, .name = "buffer"};
  TEST(tn_pool_create(&pool, 100, &how) == TN_OK);
  size_t count = 0;
  while (tn_pool_alloc(&pool) != NULL)
    count++;
  if (!TN_DEBUG)
    TEST(count >= 88);
  TEST(tn_pool_get_stats(&pool).live == count);
  TEST(tn_pool_trim(&pool) == 0);  // the buffer takes nothing back
  tn_pool_destroy(&pool);
}

typedef struct visits {
  tn_pool *pool;
  const char *last;
  size_t count;
  bool is_wrong;
} visits;

static void
visit_and_free(void *argument, void *block)
{
  visits *const v = argument;
  v->is_wrong = v->is_wrong || (const char *)block <= v->last;
  v->last = block;
  v->count++;
  tn_pool_free(v->pool, block);
}

/* Walk and trim over the chunks of a provider, and over own address space. */
static void
check_walk_and_trim(tn_provider *memory, size_t size)
{
  tn_pool pool;
  const tn_pool_options how = {.memory = memory};
  if (!TEST(tn_pool_create(&pool, size, &how) == TN_OK))
    return;
  for (size_t i = 0; i < MANY; i++)
    blocks[i] = tn_pool_alloc(&pool);
  uint64_t random = test_seed();
  size_t live = MANY;
  for (size_t i = 0; i < MANY; i++) {
    if (test_random(&random) % 2 == 0)
      continue;
    tn_pool_free(&pool, blocks[i]);
    live--;
  }
  const size_t before = tn_pool_get_stats(&pool).bytes;
  visits v = {.pool = &pool};
  tn_pool_walk(&pool, visit_and_free, &v);
  TEST(v.count == live && !v.is_wrong);
  TEST(tn_pool_get_stats(&pool).live == 0);
  TEST(tn_pool_owns(&pool, blocks[0]));
  TEST(!tn_pool_owns(&pool, (char *)blocks[0] + 1) && !tn_pool_owns(&pool, &v));
  tn_pool_walk(&pool, visit_and_free, &v);  // puts the lowest first
  void *const kept = tn_pool_alloc(&pool);
  memset(kept, 7, size);
  const size_t given = tn_pool_trim(&pool);
  const tn_pool_stats now = tn_pool_get_stats(&pool);
  TEST(given > 0);
  TEST(now.bytes == before - given && now.live == 1);
  TEST(((char *)kept)[size - 1] == 7);
  for (size_t i = 0; i < MANY; i++)
    TEST(tn_pool_alloc(&pool) != NULL);
  tn_pool_free_all(&pool);
  for (size_t i = 0; i < MANY; i++)
    TEST(tn_pool_alloc(&pool) != NULL);
  TEST(tn_pool_get_stats(&pool).live == MANY);
  tn_pool_destroy(&pool);
}

/* One live block keeps its chunk, whichever it is. */
static void
check_trim_keeps(tn_provider *memory)
{
  for (size_t kept = 0; kept < MANY; kept += 97) {
    tn_pool pool;
    const tn_pool_options how = {.memory = memory};
    if (!TEST(tn_pool_create(&pool, 64, &how) == TN_OK))
      return;
    for (size_t i = 0; i < MANY; i++)
      blocks[i] = tn_pool_alloc(&pool);
    memset(blocks[kept], 3, 64);
    for (size_t i = 0; i < MANY; i++)
      if (i != kept)
        tn_pool_free(&pool, blocks[i]);
    tn_pool_trim(&pool);
    TEST(tn_pool_owns(&pool, blocks[kept]) && ((char *)blocks[kept])[63] == 3);
    TEST(tn_pool_get_stats(&pool).live == 1);
    tn_pool_free(&pool, blocks[kept]);
    tn_pool_destroy(&pool);
  }
}

typedef struct particle {
  double x, y;
  int id;
} particle;

static void
test_typed(void)
{
  typedef TN_POOL(particle) particles;
  particles pool;
  TEST(tn_pool_create_typed(&pool, NULL) == TN_OK);
  particle *const p = tn_pool_new(&pool);
  if (!TEST(p != NULL))
    return;
  *p = (particle){1, 2, 3};
  TEST((uintptr_t)p % _Alignof(particle) == 0);
  tn_pool_drop(&pool, p);
  TEST(tn_pool_new(&pool) == p);
  tn_pool_destroy(&pool.pool);
}

/* ---- Caches -------------------------------------------------------------- */

typedef struct counts {
  int constructed, destructed, refuse_from;
} counts;

typedef struct connection {
  unsigned magic;
  int uses;
} connection;

static bool
connection_construct(void *object, void *argument)
{
  counts *const c = argument;
  connection *const self = object;
  if (c->constructed == c->refuse_from)
    return false;
  c->constructed++;
  *self = (connection){0xfeedu, 0};
  return true;
}

static void
connection_destruct(void *object, void *argument)
{
  counts *const c = argument;
  TEST(((connection *)object)->magic == 0xfeedu);
  c->destructed++;
}

static void
check_cache(tn_provider *memory)
{
  counts c = {.refuse_from = MANY};
  const tn_cache_ops ops = {connection_construct, connection_destruct, &c};
  tn_cache cache;
  const tn_pool_options how = {.memory = memory};
  TEST(tn_cache_create(&cache, sizeof(connection), &ops, &how) == TN_OK);
  for (int i = 0; i < MANY; i++) {
    connection *const p = blocks[i] = tn_cache_alloc(&cache);
    if (!TEST(p != NULL && p->magic == 0xfeedu && p->uses == 0))
      return;
    p->uses = 1;
  }
  TEST(tn_cache_alloc(&cache) == NULL);  // refused by construct
  TEST(tn_pool_get_stats(&cache.pool).live == MANY);
  for (int i = 0; i < MANY; i++)
    tn_cache_free(&cache, blocks[i]);
  for (int i = 0; i < MANY; i++) {
    const connection *const p = tn_cache_alloc(&cache);
    TEST(p != NULL && p->magic == 0xfeedu && p->uses == 1);
  }
  TEST(c.constructed == MANY && c.destructed == 0);
  tn_pool_free_all(&cache.pool);
  TEST(tn_pool_get_stats(&cache.pool).live == 0);
  TEST(tn_pool_get_stats(&cache.pool).free == MANY);
  connection *const one = tn_cache_alloc(&cache);
  TEST(one->magic == 0xfeedu && one->uses == 1 && c.constructed == MANY);
  tn_pool_trim(&cache.pool);
  TEST(tn_pool_get_stats(&cache.pool).live == 1);
  TEST(one->magic == 0xfeedu);
  tn_cache_destroy(&cache);
  TEST(c.destructed == c.constructed);
}

/* ---- What is this pointer? ----------------------------------------------- */

static void
test_describe(void)
{
  tn_pool pool;
  char text[200], wanted[200];
  TEST(tn_pool_create(&pool, 48, &(tn_pool_options){.name = "nodes"}) == TN_OK);
  char *const p = tn_pool_alloc(&pool);
  tn_describe(p + 5, text, sizeof text);
  TEST_TEXT(text, "pool \"nodes\": 5 bytes into a live block of 48 bytes");
  tn_pool_free(&pool, p);
  tn_describe(p + 5, text, sizeof text);
  TEST_TEXT(text, "pool \"nodes\": 5 bytes into a free block of 48 bytes");
  (void)snprintf(wanted, sizeof wanted, "pool \"nodes\": ");
  tn_describe(p + 40000, text, sizeof text);
  TEST(strncmp(text, wanted, strlen(wanted)) == 0);
  tn_pool_destroy(&pool);
}

static void
test_provider(void)
{
  tn_pool pool;
  const tn_pool_options how = {.align = 64, .most = 32};
  TEST(tn_pool_create(&pool, 4096, &how) == TN_OK);
  tn_pool_provider offered = tn_pool_provide(&pool);
  conform_provider(&(conform_case){
      .provider = &offered.provider, .max_align_log2 = 6, .steps = 20000});
  TEST(tn_pool_get_stats(&pool).live == 0);
  tn_pool_destroy(&pool);
  /* Of 8 bytes there is none that is aligned as a provider's must be. */
  TEST(tn_pool_create(&pool, 8, NULL) == TN_OK);
  offered = tn_pool_provide(&pool);
  TEST(tn_allocate(&offered.provider, 8, 1).pointer == NULL);
  tn_pool_destroy(&pool);
}

int
main(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  test_order_of_reuse();
  test_alignment();
  test_impossible();
  test_in_a_buffer();
  check_walk_and_trim(NULL, 8192);
  check_walk_and_trim(&memory.provider, 200);
  check_trim_keeps(NULL);
  check_trim_keeps(&memory.provider);
  test_typed();
  check_cache(NULL);
  check_cache(&memory.provider);
  test_describe();
  test_provider();
  TEST(memory.live_bytes == 0 && memory.wrong_sizes == 0);
  return test_done();
}
