/* test_oom_handles.c -- handles and shared pools, with each call of the system
 * failing in turn
 */
#include <tenure/handles.h>
#include <tenure/shared.h>

#include "oom.h"

enum { COUNT = 100, SIZE = 16384 };

static bool
by_handles(void)
{
  tn_handles pool;
  const tn_status status =
      tn_handles_create(&pool, SIZE, &(tn_handles_options){.most = 2 * COUNT});
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    return false;
  }
  uint32_t got = 0;
  while (got < COUNT && tn_handles_alloc(&pool, NULL).bits != 0)
    got++;
  TEST(tn_handles_get_stats(&pool).live == got);
  tn_handles_destroy(&pool);
  return got == COUNT;
}

static bool
by_any_thread(void)
{
  tn_shared *pool;
  const tn_status status =
      tn_shared_create(&pool, SIZE, &(tn_shared_options){.most = 2 * COUNT});
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    return false;
  }
  uint32_t got = 0;
  void *last = NULL;
  for (void *p; got < COUNT && (p = tn_shared_alloc(pool)) != NULL; got++)
    last = p;
  TEST(tn_shared_get_stats(pool).live == got);
  if (last != NULL) {
    tn_shared_free(pool, last);
    TEST(tn_shared_alloc(pool) == last);
  }
  tn_shared_destroy(pool);
  return got == COUNT;
}

int
main(void)
{
  TEST(oom_run(by_handles) > 4);
  TEST(oom_run(by_any_thread) > 4);
  return test_done();
}
