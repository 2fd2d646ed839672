/* slow_mappings.c -- the limit on mappings, on a kernel before 6.13
 *
 * Defines madvise: it knows no MADV_GUARD_INSTALL.  The pool says TN_EAGAIN
 * when the process has no more mappings; the stacks that it gave work, and
 * those given back can be taken again.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/stack.h>

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "resident.h"
#include "test.h"

int  // NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
madvise(void *addr, size_t size, int advice)
{
  if (advice == 102) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_madvise, addr, size, advice);
}

int
main(void)
{
  enum { COUNT = 200000 };
  static tn_stack_room room[COUNT];
  tn_stack_pool *pool;
  size_t limit = 0, count = 0;
  FILE *const file = fopen("/proc/sys/vm/max_map_count", "r");
  if (!TEST(file && fscanf(file, "%zu", &limit) == 1))
    return test_done();
  fclose(file);
  const tn_stack_pool_options options = {.count = COUNT, .size = 16 << 10};
  if (!TEST(tn_stack_pool_create(&pool, &options) == TN_OK))
    return test_done();
  tn_status status = TN_OK;
  while (count < COUNT && status == TN_OK) {
    status = tn_stack_pool_take(pool, &room[count]);
    count += status == TN_OK;
  }
  printf("%zu stacks of a limit of %zu mappings\n", count, limit);
  if (limit < COUNT) {
    TEST(status == TN_EAGAIN && count > limit / 2 - 100);
    TEST(tn_stack_pool_take(pool, &room[count]) == TN_EAGAIN);
  }
  TEST(tn_stack_pool_get_taken(pool) == count);
  for (size_t i = 0; i < count; i += 100)
    memset(room[i].low, 1, room[i].size);
  tn_stack_pool_give(pool, room[7].low);
  tn_stack_room again;
  TEST(tn_stack_pool_take(pool, &again) == TN_OK && again.low == room[7].low);
  tn_stack_pool_destroy(pool);
  return test_done();
}
