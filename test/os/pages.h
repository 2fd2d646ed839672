/* pages.h -- the contract of pages in os.h, as tests that any system passes
 *
 * Included by test_pages.c (this machine) and test_fake_pages.c (the fake),
 * which say how to ask whether a byte can be written.
 * Tags: [os.page] [os.budget]
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_OS_PAGES_H
#define TEST_OS_PAGES_H

#include "os/os.h"
#include "test.h"

/* Supplied by the program that includes this. */
static bool pages_can_write(unsigned char *p);

static size_t
pages_size(size_t pages)
{
  return pages * tni_os_get_config()->page_size;
}

static bool
pages_can_read(const unsigned char *p)
{
  unsigned char byte;
  return tni_os_guarded_read(&byte, p, 1) == TN_OK;
}

static unsigned char *
pages_reserve(size_t pages)
{
  void *p = NULL;
  return TEST(tni_os_reserve(pages_size(pages), 1, &p) == TN_OK) ? p : NULL;
}

static void
pages_release(unsigned char *p, size_t pages)
{
  TEST(tni_os_release(p, pages_size(pages)) == TN_OK);
}

static bool
pages_are(const unsigned char *p, size_t size, unsigned char value)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != value)
      return false;
  return true;
}

static void
pages_test_config(void)
{
  const tni_os_config *const c = tni_os_get_config();
  TEST(tn_is_power_of_two(c->page_size) && c->page_size >= 4096);
  TEST(tn_is_power_of_two(c->grain) && c->grain >= c->page_size);
  TEST(c->huge_size == 0 || c->huge_size > c->page_size);
  TEST(c->address_bits >= 32 && c->address_bits < 64);
  TEST(tni_os_get_config() == c);
  TEST(tni_os_physical() > TNI_MIB(1));
  TEST(tni_os_budget() <= tni_os_physical());
}

static void
pages_test_reserve(void)
{
  const size_t page = pages_size(1);
  for (size_t align = 1; align <= TNI_MIB(4); align *= 2) {
    void *p = NULL;
    if (!TEST(tni_os_reserve(3 * page, align, &p) == TN_OK))
      return;
    TEST(tni_is_aligned(tni_address(p), align));
    TEST(tni_is_aligned(tni_address(p), tni_os_get_config()->grain));
    TEST(!pages_can_read(p));
    TEST(tni_os_release(p, 3 * page) == TN_OK);
  }
  void *untouched = &untouched;
  void *p = untouched;
  TEST(tni_os_reserve(SIZE_MAX - page + 1, page, &p) == TN_ENOMEM);
  TEST(tni_os_reserve(SIZE_MAX / 2 + 1, page, &p) == TN_ENOMEM);
  TEST(tni_os_reserve(2 * page, SIZE_MAX / 2 + 1, &p) == TN_ENOMEM);
  TEST(p == untouched);
}

static void
pages_test_reserve_at(void)
{
  unsigned char *const p = pages_reserve(4);
  const size_t page = pages_size(1);
  TEST(tni_os_reserve_at(p + page, page) == TN_EBUSY);
  TEST(tni_os_commit(p, page) == TN_OK);
  p[0] = 7;
  TEST(tni_os_reserve_at(p, page) == TN_EBUSY);
  TEST(p[0] == 7);
  TEST(tni_os_release(p + page, 2 * page) == TN_OK);
  TEST(tni_os_reserve_at(p, 3 * page) == TN_EBUSY);
  TEST(p[0] == 7);
  TEST(tni_os_reserve_at(p + page, 2 * page) == TN_OK);
  TEST(tni_os_commit(p + page, page) == TN_OK);
  TEST(p[page] == 0);
  pages_release(p, 4);
}

static void
pages_test_commit(tn_status (*commit)(void *, size_t))
{
  unsigned char *const p = pages_reserve(4);
  const size_t page = pages_size(1);
  TEST(commit(p + page, 2 * page) == TN_OK);
  TEST(!pages_can_read(p) && !pages_can_read(p + 3 * page));
  TEST(pages_can_write(p + page) && pages_can_write(p + 3 * page - 1));
  TEST(pages_are(p + page, 2 * page, 0));
  memset(p + page, 1, 2 * page);
  /* Again, and wider: what was there stays. */
  TEST(commit(p, 4 * page) == TN_OK);
  TEST(pages_are(p + page, 2 * page, 1) && pages_are(p, page, 0));
  TEST(tni_os_decommit(p + page, page) == TN_OK);
  TEST(!pages_can_read(p + page) && !pages_can_write(p + page));
  TEST(pages_are(p + 2 * page, page, 1));
  TEST(tni_os_decommit(p + page, page) == TN_OK);
  TEST(commit(p + page, page) == TN_OK);
  TEST(pages_are(p + page, page, 0));
  pages_release(p, 4);
}

static void
pages_test_budget(void)
{
  const size_t page = pages_size(1);
  const size_t too_much = tni_round_up(tni_os_budget(), page) + page;
  void *p;
  if (tni_os_reserve(too_much, page, &p) != TN_OK)
    return;  // a small address space says the same earlier
  TEST(tni_os_commit(p, too_much) == TN_ENOMEM);
  TEST(!pages_can_read(p));
  TEST(tni_os_commit(p, page) == TN_OK);
  TEST(tni_os_release(p, too_much) == TN_OK);
}

static void
pages_test_purge(void)
{
  unsigned char *const p = pages_reserve(2);
  const size_t page = pages_size(1);
  TEST(tni_os_commit(p, 2 * page) == TN_OK);
  memset(p, 1, 2 * page);
  TEST(tni_os_purge(p, page) == TN_OK);
  TEST(pages_are(p, page, 0) && pages_are(p + page, page, 1));
  TEST(tni_os_reset(p + page, page) == TN_OK);
  TEST(pages_can_write(p + page));
  p[page] = 5;  // a store after the reset is kept
  TEST(p[page] == 5);
  const tn_status huge = tni_os_huge(p, 2 * page, true);
  TEST(huge == TN_OK || huge == TN_ENOTSUP);
  TEST(tni_os_huge(p, 2 * page, false) == huge);
  pages_release(p, 2);
}

static void
pages_test_protect(void)
{
  unsigned char *const p = pages_reserve(2);
  const size_t page = pages_size(1);
  TEST(tni_os_commit(p, 2 * page) == TN_OK);
  memset(p, 1, 2 * page);
  TEST(tni_os_protect(p, page, TNI_OS_READ) == TN_OK);
  TEST(pages_can_read(p) && !pages_can_write(p));
  TEST(pages_can_write(p + page));
  TEST(tni_os_protect(p, page, TNI_OS_NONE) == TN_OK);
  TEST(!pages_can_read(p));
  TEST(tni_os_protect(p, page, TNI_OS_READ_EXECUTE) == TN_OK);
  TEST(pages_can_read(p) && !pages_can_write(p));
  TEST(tni_os_protect(p, page, TNI_OS_READ_WRITE) == TN_OK);
  TEST(pages_can_write(p) && pages_are(p, 2 * page, 1));
  pages_release(p, 2);
}

static void
pages_test_prefault(void)
{
  unsigned char *const p = pages_reserve(3);
  const size_t page = pages_size(1);
  TEST(tni_os_commit(p, 3 * page) == TN_OK);
  p[0] = 9;
  TEST(tni_os_prefault(p, 3 * page) == TN_OK);
  TEST(p[0] == 9 && pages_are(p + page, 2 * page, 0));
  pages_release(p, 3);
}

static void
pages_test_move(void)
{
  const size_t page = pages_size(1);
  unsigned char *const from = pages_reserve(3);
  unsigned char *const to = pages_reserve(3);
  TEST(tni_os_commit(from, 3 * page) == TN_OK);
  memset(from, 1, 3 * page);
  const tn_status status = tni_os_move(from, to, 2 * page);
  if (!tni_os_get_config()->can_move) {
    TEST(status == TN_ENOTSUP && pages_are(from, 3 * page, 1));
  } else if (TEST(status == TN_OK)) {
    TEST(pages_are(to, 2 * page, 1) && pages_can_write(to));
    TEST(!pages_can_read(to + 2 * page) && !pages_can_read(from));
    TEST(from[2 * page] == 1);
    TEST(tni_os_reserve_at(from, page) == TN_EBUSY);  // still ours
    TEST(tni_os_commit(from, page) == TN_OK && pages_are(from, page, 0));
  }
  pages_release(from, 3);
  pages_release(to, 3);
}

static void
pages_test_alias(void)
{
  const size_t page = pages_size(1);
  int handle = -1;
  const tn_status status = tni_os_shared_open(2 * page, &handle);
  if (!tni_os_get_config()->can_alias) {
    TEST(status == TN_ENOTSUP);
    return;
  }
  unsigned char *const p = pages_reserve(4);
  TEST(status == TN_OK);
  TEST(tni_os_alias(handle, 0, p, 2 * page) == TN_OK);
  TEST(tni_os_alias(handle, 0, p + 2 * page, 2 * page) == TN_OK);
  TEST(tni_os_shared_close(handle) == TN_OK);
  TEST(pages_are(p, 4 * page, 0));
  p[0] = 1;
  p[4 * page - 1] = 2;  // a ring: the second view is the first again
  TEST(p[2 * page] == 1 && p[2 * page - 1] == 2);
  TEST(tni_os_decommit(p, 2 * page) == TN_OK);
  TEST(!pages_can_read(p));
  TEST(p[2 * page] == 1);  // the other view keeps it
  TEST(tni_os_commit(p, page) == TN_OK);
  TEST(p[0] == 0);  // private again
  pages_release(p, 4);
}

static void
pages_test_swap(void)
{
  const size_t page = pages_size(1);
  unsigned char *const p = pages_reserve(6);
  TEST(tni_os_commit(p, 6 * page) == TN_OK);
  memset(p, 1, 3 * page);
  memset(p + 3 * page, 2, 3 * page);
  const tn_status status = tni_os_swap(p, p + 4 * page, 2 * page);
  if (!tni_os_get_config()->can_move) {
    TEST(status == TN_ENOTSUP && pages_are(p, 3 * page, 1));
  } else if (TEST(status == TN_OK)) {
    TEST(pages_are(p, 2 * page, 2) && pages_are(p + 4 * page, 2 * page, 1));
    TEST(pages_can_write(p) && pages_can_write(p + 5 * page));
  }
  TEST(pages_are(p + 2 * page, page, 1) && pages_are(p + 3 * page, page, 2));
  pages_release(p, 6);
}

static void
pages_test_guard(void)
{
  const size_t page = pages_size(1);
  unsigned char *const p = pages_reserve(4);
  TEST(tni_os_commit_lazy(p, 4 * page) == TN_OK);
  memset(p, 1, 4 * page);
  const tn_status status = tni_os_guard(p + page, 2 * page);
  if (status == TN_ENOTSUP) {
    TEST(pages_are(p, 4 * page, 1) && pages_can_write(p + page));
  } else if (TEST(status == TN_OK)) {
    TEST(!pages_can_write(p + page) && !pages_can_write(p + 3 * page - 1));
    TEST(tni_os_purge(p, 4 * page) == TN_OK);  // guards stay
    TEST(!pages_can_read(p + page));
    TEST(pages_are(p, page, 0) && pages_are(p + 3 * page, page, 0));
    TEST(tni_os_decommit(p + page, 2 * page) == TN_OK);
    TEST(tni_os_commit(p + page, 2 * page) == TN_OK);
    TEST(pages_are(p + page, 2 * page, 0) && pages_can_write(p + page));
  }
  pages_release(p, 4);
}

static void
pages_test_secret(void)
{
  const size_t page = pages_size(1);
  unsigned char *const p = pages_reserve(4);
  unsigned reached = 0;
  TEST(tni_os_secret(p + page, 2 * page, &reached) == TN_OK);
  TEST(pages_are(p + page, 2 * page, 0));
  memset(p + page, 1, 2 * page);
  TEST(reached & TNI_OS_SECRET_NO_DUMP);
  TEST((reached & TNI_OS_SECRET_LOCKED) || !(reached & TNI_OS_SECRET_HIDDEN));
  TEST(!pages_can_read(p) && !pages_can_read(p + 3 * page));
  TEST(tni_os_decommit(p + page, 2 * page) == TN_OK);
  TEST(tni_os_commit(p + page, 2 * page) == TN_OK);
  TEST(pages_are(p + page, 2 * page, 0));
  pages_release(p, 4);
}

static void
pages_test_all(void)
{
  pages_test_config();
  pages_test_reserve();
  pages_test_reserve_at();
  pages_test_commit(tni_os_commit);
  pages_test_commit(tni_os_commit_lazy);
  pages_test_budget();
  pages_test_purge();
  pages_test_protect();
  pages_test_prefault();
  pages_test_move();
  pages_test_alias();
  pages_test_swap();
  pages_test_guard();
  pages_test_secret();
}

#endif
