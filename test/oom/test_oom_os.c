/* test_oom_os.c -- the method itself: it passes what is right, sees what leaks
 * SPDX-License-Identifier: MIT
 */
#include "oom.h"

#define SIZE TNI_KIB(64)

/* Six calls can fail; the advice on huge pages may. */
static bool
good(void)
{
  void *a = NULL, *b = NULL;
  bool ok = false;
  if (tni_os_reserve(SIZE, SIZE, &a) != TN_OK)
    return false;
  if (tni_os_reserve(SIZE, SIZE, &b) != TN_OK)
    goto release_a;
  (void)tni_os_huge(a, SIZE, true);  // benign: costs only speed
  if (tni_os_commit(a, SIZE) != TN_OK || tni_os_prefault(a, SIZE) != TN_OK)
    goto release_b;
  memset(a, 1, SIZE);
  ok = tni_os_move(a, b, SIZE) == TN_OK && *(char *)b == 1;
release_b:
  TEST(tni_os_release(b, SIZE) == TN_OK);
release_a:
  TEST(tni_os_release(a, SIZE) == TN_OK);
  return ok;
}

/* The same, but it forgets a when there is no b. */
static bool
leaks(void)
{
  void *a = NULL, *b = NULL;
  if (tni_os_reserve(SIZE, SIZE, &a) != TN_OK ||
      tni_os_reserve(SIZE, SIZE, &b) != TN_OK)
    return false;
  TEST(tni_os_release(a, SIZE) == TN_OK && tni_os_release(b, SIZE) == TN_OK);
  return true;
}

/* The same, but it goes on as if nothing had happened. */
static bool
ignores(void)
{
  void *a = NULL;
  if (tni_os_reserve(SIZE, SIZE, &a) != TN_OK)
    return false;
  (void)tni_os_commit(a, SIZE);
  TEST(tni_fake_touch(a, true));
  TEST(tni_os_release(a, SIZE) == TN_OK);
  return true;
}

static void
run_leaks(void)
{
  oom_run(leaks);
}

static void
run_ignores(void)
{
  oom_run(ignores);
}

int
main(void)
{
  TEST(oom_run(good) == 2 * 6);
  const child_end leak = child_run(run_leaks);
  TEST(leak.status == 1 && strstr(leak.text, "leak after failing call 2"));
  const child_end ignored = child_run(run_ignores);
  TEST(ignored.status > 0 && strstr(ignored.text, "failing call 2"));
  return test_done();
}
