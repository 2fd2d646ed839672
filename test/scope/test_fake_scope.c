/* test_fake_scope.c -- descriptors on the fake system, and memory that is refused
 * Covers [scope.runs] [scope.once]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/scope.h>
#include <tenure/source.h>

#include "os/os_fake.h"
#include "test.h"

static size_t
calls(void)
{
  return tni_fake_get_calls(TNI_FAKE_CLOSE_RANGE);
}

static void
test_runs(void)
{
  static const int order[] = {9, 3, 5, 4, 20, 8, 21, 19};  // 3-5 8-9 19-21
  for (int i = 3; i < 64; i++)
    TEST(tni_fake_open((unsigned)i) == i);
  size_t before = calls();
  TEST(tn_fd_close_batch(order, 8) == 3 && calls() - before == 3);
  for (int i = 3; i < 64; i++) {
    const bool given =
        (i >= 3 && i <= 5) || i == 8 || i == 9 || (i >= 19 && i <= 21);
    TEST((tni_fake_get_open(i) == 0) == given);
  }
  /* Runs that cross a word of the bitmap, and numbers far apart. */
  int all[42];
  for (int i = 0; i < 42; i++)
    all[i] = 63 - i;
  before = calls();
  TEST(tn_fd_close_batch(all, 42) == 1 && calls() - before == 1);
  TEST(tni_os_close_range(3, 63) == TN_OK);
}

/* Numbers as far apart as the window of the bitmap, and farther; a run that
 * crosses its end. */
static void
test_far(void)
{
  static const int far[] = {65539,  3,      65536 + 66, 65538,
                            131073, 131075, 200000};
  static const int edge[] = {65540, 5, 65541, 65542};
  for (size_t i = 0; i < 7; i++)
    if (far[i] != 3)
      TEST(tni_os_descriptor_replace(far[i], tni_fake_open(1)) == TN_OK);
  TEST(tni_fake_open(1) == 3);
  TEST(tn_fd_close_batch(far, 7) == 6);
  for (size_t i = 0; i < 7; i++)
    TEST(tni_fake_get_open(far[i]) == 0);
  for (size_t i = 0; i < 4; i++)
    if (edge[i] != 5)
      TEST(tni_os_descriptor_replace(edge[i], tni_fake_open(1)) == TN_OK);
  while (tni_fake_open(1) != 5)
    ;
  TEST(tn_fd_close_batch(edge, 4) == 2);
  TEST(tni_os_close_range(3, 63) == TN_OK);
}

static void
test_scope(void)
{
  tn_fixed fixed;
  _Alignas(16) unsigned char bytes[4 * sizeof(tn_cleanup)];
  tn_fixed_init(&fixed, bytes, sizeof bytes);
  tn_scope scope;
  tn_scope_init(&scope, &fixed.provider);
  int fd[8] = {0};
  size_t owned = 0;
  for (; owned < 8; owned++) {
    fd[owned] = tni_fake_open(1);
    if (tn_scope_own_fd(&scope, fd[owned]) == NULL)
      break;
  }
  TEST(owned >= 2 && owned < 8);
  TEST(tni_fake_get_open(fd[owned]) == 1);  // still the caller's

  TEST(tn_fd_replace(fd[0], tni_fake_open(9)) == TN_OK);
  TEST(tni_fake_get_open(fd[0]) == 9);
  const int by = tni_fake_open(10);
  tni_fake_fail(TNI_FAKE_DESCRIPTOR_REPLACE, 1, true);
  TEST(tn_fd_replace(fd[0], by) == TN_EAGAIN);
  TEST(tni_fake_get_open(fd[0]) == 9 && tni_fake_get_open(by) == 10);

  const size_t before = calls();
  tn_scope_fini(&scope);
  TEST(calls() == before + 1);
  for (size_t i = 0; i < owned; i++)
    TEST(tni_fake_get_open(fd[i]) == 0);
  TEST(tni_fake_get_open(fd[owned]) == 1 && tni_fake_get_open(by) == 10);
}

int
main(void)
{
  test_runs();
  test_far();
  test_scope();
  return test_done();
}
