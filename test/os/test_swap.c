/* test_swap.c -- tni_os_swap loses nothing, whichever move the kernel refuses
 *
 * Defines mremap: the nth move from now fails.
 * Tags: [os.page]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static struct {
  unsigned count;
  unsigned fail;  // bit n: call n fails
} moves;

void *  // NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
mremap(void *from, size_t old, size_t new, int flags, ...)
{
  va_list rest;
  va_start(rest, flags);
  void *const to = va_arg(rest, void *);
  va_end(rest);
  if (moves.fail >> moves.count++ & 1) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  const long p = syscall(SYS_mremap, from, old, new, flags, to);
  void *result;
  memcpy(&result, &p, sizeof result);
  return result;
}

/* Swap with the calls of `fail` refused; returns what it says. */
static tn_status
swap_with(unsigned fail)
{
  const size_t size = 4 * tni_os_get_config()->page_size;
  void *base = NULL;
  if (!TEST(tni_os_reserve(2 * size, 1, &base) == TN_OK))
    return TN_EIO;
  unsigned char *const a = base, *const b = a + size;
  TEST(tni_os_commit(a, 2 * size) == TN_OK);
  memset(a, 'a', size);
  memset(b, 'b', size);
  moves.count = 0;
  moves.fail = fail;
  errno = 77;
  const tn_status status = tni_os_swap(a, b, size);
  moves.fail = 0;
  TEST(errno == 77);
  const unsigned char in_a = status == TN_OK ? 'b' : 'a';
  for (size_t i = 0; i < size; i++)
    if (!TEST(a[i] == in_a && b[i] == ('a' ^ 'b' ^ in_a)))
      break;
  memset(a, 'c', 2 * size);  // usable as before
  TEST(tni_os_release(a, 2 * size) == TN_OK);
  return status;
}

/* Mappings of this process. */
static size_t
count_mappings(void)
{
  FILE *const maps = fopen("/proc/self/maps", "r");
  size_t count = 0;
  for (int c; maps && (c = fgetc(maps)) != EOF;)
    count += c == '\n';
  if (maps)
    fclose(maps);
  return count;
}

int
main(void)
{
  if (!tni_os_get_config()->can_move)
    TEST(swap_with(0) == TN_ENOTSUP);
  else
    for (unsigned fail = 0; fail < 16; fail++)
      TEST(swap_with(fail) == (fail & 3 ? TN_ENOMEM : TN_OK));
  /* The spare room is given back each time. */
  const size_t before = count_mappings();
  for (int i = 0; i < 64; i++)
    (void)swap_with(i & 1 ? 0 : 2);
  TEST(count_mappings() < before + 16);
  return test_done();
}
