/* test_pool_old.c -- test_pool.c on a kernel before 6.13
 *
 * Defines madvise: it knows no MADV_GUARD_INSTALL.
 * SPDX-License-Identifier: MIT
 */
#define STACK_POOL_TEST_OLD
#include "test_pool.c"  // NOLINT(bugprone-suspicious-include)

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int  // NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
madvise(void *addr, size_t size, int advice)
{
  if (advice == 102) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_madvise, addr, size, advice);
}
