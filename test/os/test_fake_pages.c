/* test_fake_pages.c -- the fake keeps the contract of pages, and finds misuse
 * Tags: [os.page] [os.budget] [fake.state] [fake.scribble]
 * SPDX-License-Identifier: MIT
 */
#include "os/os_fake.h"

#include "child.h"
#include "pages.h"

static bool
pages_can_write(unsigned char *p)
{
  return tni_fake_touch(p, true);
}

static void
test_use(void)
{
  const size_t page = pages_size(1);
  const tni_fake_use none = tni_fake_get_use();
  TEST(none.reserved == 0 && none.committed == 0 && none.watches == 0);
  unsigned char *const p = pages_reserve(8);
  TEST(tni_os_commit(p, 2 * page) == TN_OK);
  TEST(tni_os_commit_lazy(p + page, 2 * page) == TN_OK);
  const tni_fake_use use = tni_fake_get_use();
  TEST(use.reserved == 8 * page && use.committed == 3 * page);
  TEST(use.charged == 2 * page);
  pages_release(p, 8);
  TEST(tni_fake_get_use().reserved == 0);
  TEST(pages_reserve(8) == p);  // the same answer every time
  pages_release(p, 8);
}

static void
test_budget(void)
{
  const size_t page = pages_size(1);
  unsigned char *const p = pages_reserve(8);
  tni_fake_set_budget(4 * page);
  TEST(tni_os_commit(p, 5 * page) == TN_ENOMEM && !pages_can_read(p));
  TEST(tni_os_commit(p, 3 * page) == TN_OK);
  TEST(tni_os_commit(p, 4 * page) == TN_OK);  // one more
  TEST(tni_os_commit(p + 4 * page, page) == TN_ENOMEM);
  TEST(tni_os_decommit(p, page) == TN_OK);
  TEST(tni_os_commit(p + 4 * page, page) == TN_OK);
  pages_release(p, 8);
  tni_fake_set_budget(TNI_MIB(32));
}

__attribute__((no_sanitize("address"))) static void
write_stray(unsigned char *p)
{
  *(volatile unsigned char *)p = 1;
}

static void
stray_in_fresh(void)
{
  unsigned char *const p = pages_reserve(2);
  TEST(tni_fake_find_stray() == NULL);
  write_stray(p + 17);
  TEST(tni_fake_find_stray() == p + 17);
}

static void
stray_after_decommit(void)
{
  unsigned char *const p = pages_reserve(2);
  TEST(tni_os_commit(p, pages_size(2)) == TN_OK);
  memset(p, 3, pages_size(2));
  TEST(tni_os_decommit(p, pages_size(1)) == TN_OK);
  TEST(tni_fake_find_stray() == NULL);
  write_stray(p);
  TEST(tni_fake_find_stray() == p);
}

static void
stray_after_release(void)
{
  unsigned char *const p = pages_reserve(1);
  TEST(tni_os_commit(p, pages_size(1)) == TN_OK);
  pages_release(p, 1);
  TEST(tni_fake_find_stray() == NULL);
  write_stray(p + 100);
  TEST(tni_fake_find_stray() == p + 100);
}

static void
test_failing(void)
{
  unsigned char *const p = pages_reserve(4);
  const size_t page = pages_size(1);
  const size_t before = tni_fake_get_calls(TNI_FAKE_COMMIT);
  tni_fake_fail(TNI_FAKE_COMMIT, 2, false);
  TEST(tni_os_commit(p, page) == TN_OK);
  TEST(tni_os_commit(p + page, page) == TN_ENOMEM && !pages_can_read(p + page));
  TEST(tni_os_commit(p + page, page) == TN_OK);
  TEST(tni_fake_get_failures() == 1);
  TEST(tni_fake_get_calls(TNI_FAKE_COMMIT) == before + 3);
  tni_fake_fail(TNI_FAKE_TAKING, 1, true);
  for (int i = 0; i < 3; i++)
    TEST(tni_os_purge(p, page) == TN_ENOMEM);
  TEST(tni_os_decommit(p, page) == TN_OK);  // gives back: not part of the plan
  TEST(tni_fake_get_failures() == 3);
  tni_fake_fail(TNI_FAKE_TAKING, 0, false);
  TEST(tni_os_commit(p, page) == TN_OK);
  pages_release(p, 4);
}

static void
misuse_foreign(void)
{
  static unsigned char foreign[2 * 4096];
  unsigned char *const p = foreign + (-tni_address(foreign) & 4095);
  (void)tni_os_commit(p, 4096);
}

static void
misuse_released(void)
{
  unsigned char *const p = pages_reserve(2);
  pages_release(p, 1);
  (void)tni_os_commit(p, 8192);
}

static void
misuse_protect(void)
{
  (void)tni_os_protect(pages_reserve(1), 4096, TNI_OS_READ);
}

int
main(void)
{
  test_use();
  pages_test_all();
  test_budget();
  test_failing();
  TEST(tni_fake_get_use().reserved == 0);
  TEST(tni_fake_find_stray() == NULL);
  TEST(child_passes(stray_in_fresh));
  TEST(child_passes(stray_after_decommit));
  TEST(child_passes(stray_after_release));
  TEST(child_dies(misuse_foreign, SIGABRT, "never handed out"));
  TEST(child_dies(misuse_released, SIGABRT, "is not reserved"));
  TEST(child_dies(misuse_protect, SIGABRT, "are not committed"));
  return test_done();
}
