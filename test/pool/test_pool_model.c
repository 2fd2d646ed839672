/* test_pool_model.c -- random operations against a list of live blocks
 *
 * Every block is filled with its own number; overlaps, lost blocks and blocks
 * handed out twice are seen.  Walks must visit exactly the live ones.
 *
 * Covers  [pool.order] [pool.list]
 */
#include <tenure/pool.h>

#include "../provider/malloc_provider.h"
#include "test.h"

enum { LIVE_MOST = 700 };

typedef struct model {
  tn_pool pool;
  size_t size;
  unsigned char *live[LIVE_MOST];
  uint32_t tag[LIVE_MOST];
  size_t count;
  size_t visited;
  uint32_t next_tag;
  uint64_t random;
} model;

static void
model_fill(unsigned char *p, size_t size, uint32_t tag)
{
  for (size_t i = 0; i < size; i++)
    p[i] = (unsigned char)(tag >> i % 4 * 8);
}

static bool
model_is_filled(const unsigned char *p, size_t size, uint32_t tag)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != (unsigned char)(tag >> i % 4 * 8))
      return false;
  return true;
}

static void
model_visit(void *argument, void *block)
{
  model *const m = argument;
  m->visited++;
  for (size_t i = 0; i < m->count; i++)
    if (m->live[i] == block)
      return;
  m->visited = SIZE_MAX / 2;  // a block that is not live
}

static void
model_step(model *m)
{
  const uint64_t choice = test_random(&m->random) % 1000;
  if (choice == 0) {
    m->visited = 0;
    tn_pool_walk(&m->pool, model_visit, m);
    TEST(m->visited == m->count);
  } else if (choice == 1) {
    tn_pool_trim(&m->pool);
  } else if (choice == 2 && test_random(&m->random) % 4 == 0) {
    tn_pool_free_all(&m->pool);
    m->count = 0;
  } else if (choice < 520 && m->count < LIVE_MOST) {
    unsigned char *const p = tn_pool_alloc(&m->pool);
    if (!TEST(p != NULL))
      return;
    model_fill(p, m->size, ++m->next_tag);
    m->live[m->count] = p;
    m->tag[m->count++] = m->next_tag;
  } else if (m->count > 0) {
    const size_t i = test_random(&m->random) % m->count;
    TEST(model_is_filled(m->live[i], m->size, m->tag[i]));
    tn_pool_free(&m->pool, m->live[i]);
    m->live[i] = m->live[--m->count];
    m->tag[i] = m->tag[m->count];
  }
}

static void
check(size_t size, tn_provider *memory, uint64_t seed)
{
  static model m;
  m = (model){.size = size, .random = seed};
  const tn_pool_options how = {.memory = memory};
  if (!TEST(tn_pool_create(&m.pool, size, &how) == TN_OK))
    return;
  for (int i = 0; i < 12000; i++)
    model_step(&m);
  for (size_t i = 0; i < m.count; i++)
    TEST(model_is_filled(m.live[i], m.size, m.tag[i]));
  TEST(tn_pool_get_stats(&m.pool).live == m.count);
  tn_pool_destroy(&m.pool);
}

int
main(void)
{
  const size_t sizes[] = {1, 8, 20, 64, 1000};
  const uint64_t seed = test_seed();
  malloc_provider memory;
  malloc_provider_init(&memory);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    check(sizes[i], NULL, seed + i);
    check(sizes[i], &memory.provider, seed + i);
  }
  TEST(memory.live_bytes == 0);
  return test_done();
}
