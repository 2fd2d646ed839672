/* test_fake_secret.c -- a destroyed secret leaves zeroes, and failures nothing
 *
 * On the fake system, whose pages can be looked at after they were given back:
 * the release is made to fail, so that they keep what they held.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/mem.h>

#include <string.h>

#include "os/os_fake.h"
#include "test.h"

static void
test_wiped(void)
{
  tn_secret secret;
  if (!TEST(tn_secret_create(&secret, 5000, 0) == TN_OK))
    return;
  TEST(secret.reached ==
       (TN_SECRET_LOCKED | TN_SECRET_NO_DUMP | TN_SECRET_NO_FORK));
  unsigned char *const data = secret.data;
  void *const base = secret.base;
  const size_t reserved = secret.reserved;
  memset(data, 0x5c, 5000);
  tni_fake_fail(TNI_FAKE_RELEASE, 1, false);
  tn_secret_destroy(&secret);
  TEST(tni_fake_get_failures() == 1);
  for (size_t i = 0; i < 5000; i++)
    if (!TEST(data[i] == 0))
      break;
  TEST(tni_os_release(base, reserved) == TN_OK);
}

static void
test_failures(void)
{
  tn_secret secret;
  for (int kind = 0; kind < 2; kind++) {
    tni_fake_fail(kind ? TNI_FAKE_SECRET : TNI_FAKE_RESERVE, 1, false);
    TEST(tn_secret_create(&secret, 5000, 0) == TN_ENOMEM);
    TEST(tni_fake_get_failures() == 1);
    TEST(tni_fake_get_use().reserved == 0);
  }
  TEST(tn_secret_create(&secret, 5000, TN_SECRET_HIDDEN) == TN_ENOTSUP);
  TEST(tni_fake_get_use().reserved == 0);
}

/* Blocks are swapped whether the system moves pages or not. */
static void
test_swap(void)
{
  const size_t size = 2 << 20;
  void *base = NULL;
  if (!TEST(tni_os_reserve(2 * size, 1, &base) == TN_OK) ||
      !TEST(tni_os_commit(base, 2 * size) == TN_OK))
    return;
  unsigned char *const a = base, *const b = a + size;
  memset(a, 1, size);
  memset(b, 2, size);
  TEST(tn_mem_swap_pages(a, b, size) && a[size - 1] == 2 && b[size - 1] == 1);
  tni_fake_fail(TNI_FAKE_SWAP, 1, false);
  TEST(!tn_mem_swap_pages(a, b, size) && a[size - 1] == 1 && b[size - 1] == 2);
  TEST(tni_fake_get_failures() == 1);
  TEST(tni_os_release(base, 2 * size) == TN_OK);
}

int
main(void)
{
  test_wiped();
  test_failures();
  test_swap();
  return test_done();
}
