/* test_pages.c -- the contract of pages, on this machine
 * Tags: [os.page] [os.budget]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static bool
pages_can_write(unsigned char *p)
{
  unsigned char byte = 0;
  int pipes[2];
  if (tni_os_guarded_read(&byte, p, 1) != TN_OK || pipe(pipes) != 0)
    return false;
  /* Writes what is there already, and says EFAULT instead of a signal. */
  const bool ok = write(pipes[1], &byte, 1) == 1 && read(pipes[0], p, 1) == 1;
  close(pipes[0]);
  close(pipes[1]);
  return ok;
}

static size_t
count_mappings(void)
{
  FILE *const maps = fopen("/proc/self/maps", "r");
  size_t lines = 0;
  for (int c; (c = getc(maps)) != EOF;)
    lines += c == '\n';
  fclose(maps);
  return lines;
}

/* Bytes of it that are taken. */
static size_t
address_space(void)
{
  char text[64];
  FILE *const statm = fopen("/proc/self/statm", "r");
  const bool is_read = fgets(text, sizeof text, statm) != NULL;
  fclose(statm);
  TEST(is_read);
  return strtoull(text, NULL, 10) * pages_size(1);
}

static size_t
resident_pages(unsigned char *p, size_t pages)
{
  unsigned char there[64];
  size_t count = 0;
  TEST(pages <= sizeof there && mincore(p, pages_size(pages), there) == 0);
  for (size_t i = 0; i < pages; i++)
    count += there[i] & 1;
  return count;
}

static void
test_resident(void)
{
  unsigned char *const p = pages_reserve(64);
  TEST(tni_os_commit(p, pages_size(64)) == TN_OK);
  TEST(tni_os_huge(p, pages_size(64), false) == TN_OK);
  memset(p, 1, pages_size(64));  // whatever a sanitizer keeps beside it
  TEST(tni_os_purge(p, pages_size(64)) == TN_OK);
  TEST(resident_pages(p, 64) == 0);
  const size_t before = tni_os_page_faults();
  TEST(tni_os_prefault(p, pages_size(64)) == TN_OK);
  TEST(resident_pages(p, 64) == 64);
  const size_t asked = tni_os_page_faults();
  memset(p, 1, pages_size(64));
  TEST(tni_os_page_faults() == asked);
  TEST(asked >= before);
  TEST(tni_os_purge(p, pages_size(32)) == TN_OK);
  TEST(resident_pages(p, 64) == 32);
  p[0] = 1;
  TEST(tni_os_page_faults() > asked);
  TEST(tni_os_decommit(p, pages_size(64)) == TN_OK);
  TEST(tni_os_commit(p, pages_size(64)) == TN_OK);
  TEST(resident_pages(p, 64) == 0);
  pages_release(p, 64);
  TEST(tni_os_resident() > 0);
}

/* What alignment cut off is given back.  Kernels align to 2 MiB themselves. */
static void
test_no_space_leak(void)
{
  size_t before = 0;
  void *p[8];
  for (int round = 0; round < 4; round++) {
    for (size_t i = 0; i < 8; i++)
      TEST(tni_os_reserve(pages_size(i + 1), TNI_MIB(8), &p[i]) == TN_OK);
    for (size_t i = 0; i < 8; i++)
      TEST(tni_os_release(p[i], pages_size(i + 1)) == TN_OK);
    if (round == 0)
      before = address_space();
  }
  TEST(address_space() < before + TNI_MIB(8));
}

/* Commit and decommit in every order leave one mapping behind, not many. */
static void
test_no_mapping_leak(void)
{
  unsigned char *const p = pages_reserve(64);
  uint64_t random = test_seed();
  const size_t before = count_mappings();
  for (int i = 0; i < 500; i++) {
    const size_t first = test_random(&random) % 64;
    const size_t count = 1 + test_random(&random) % (64 - first);
    unsigned char *const at = p + pages_size(first);
    if (i % 2) {
      TEST(tni_os_decommit(at, pages_size(count)) == TN_OK);
    } else {
      TEST(tni_os_commit(at, pages_size(count)) == TN_OK);
      at[0] = 1;
    }
  }
  TEST(count_mappings() <= before + 64);
  TEST(tni_os_decommit(p, pages_size(64)) == TN_OK);
  TEST(count_mappings() <= before);
  pages_release(p, 64);
}

/* What this kernel can do is found out: features are not lost unnoticed. */
static void
test_features(void)
{
  struct utsname kernel;
  TEST(uname(&kernel) == 0);
  char *rest;
  const unsigned long major = strtoul(kernel.release, &rest, 10);
  const unsigned long minor = strtoul(rest + 1, NULL, 10);
  const bool is_new = major > 5 || (major == 5 && minor >= 7);
  TEST(tni_os_get_config()->can_move == is_new);
  TEST(tni_os_get_config()->can_alias && tni_os_get_config()->has_guard);
}

/* Commits and touches in small steps, in a budget of 32 MiB more: refused at
 * most 16 MiB late. */
static void
case_small_steps(void)
{
  unsigned char *const p = pages_reserve(TNI_MIB(128) / pages_size(1));
  const struct rlimit limit = {tni_os_resident() + TNI_MIB(32), RLIM_INFINITY};
  TEST(setrlimit(RLIMIT_AS, &limit) == 0);
  size_t done = 0;
  while (done < TNI_MIB(128) && tni_os_commit(p + done, TNI_MIB(1)) == TN_OK) {
    memset(p + done, 1, TNI_MIB(1));
    done += TNI_MIB(1);
  }
  TEST(done > 0 && done < TNI_MIB(32 + 16 + 4));
  /* What is resident already needs no room. */
  TEST(tni_os_commit(p, done) == TN_OK);
  TEST(tni_os_prefault(p, done) == TN_OK);
  TEST(tni_os_prefault(p, done) == TN_OK);
}

static void
test_errno_is_kept(void)
{
  void *p = NULL;
  errno = 4711;
  TEST(tni_os_reserve(SIZE_MAX / 2 + 1, 1, &p) == TN_ENOMEM && errno == 4711);
  TEST(tni_os_reserve(pages_size(1), 1, &p) == TN_OK && errno == 4711);
  TEST(tni_os_reserve_at(p, pages_size(1)) == TN_EBUSY && errno == 4711);
  TEST(tni_os_budget() > 0 && errno == 4711);
  TEST(tni_os_guarded_read(&(char){0}, p, 1) == TN_EFAULT && errno == 4711);
  TEST(tni_os_release(p, pages_size(1)) == TN_OK && errno == 4711);
}

/* Answers, not signals, under both kinds of limit. */
static void
test_under_limit(__rlimit_resource_t resource)
{
  struct rlimit limit;
  TEST(getrlimit(resource, &limit) == 0);
  const struct rlimit old = limit;
  unsigned char *const p = pages_reserve(TNI_MIB(20) / pages_size(1));
  limit.rlim_cur = TNI_MIB(18);
  TEST(setrlimit(resource, &limit) == 0);
  TEST(tni_os_budget() == TNI_MIB(18));
  TEST(tni_os_commit(p, TNI_MIB(20)) == TN_ENOMEM);
  TEST(!pages_can_read(p));
  if (resource == RLIMIT_DATA)
    TEST(tni_os_commit_lazy(p, TNI_MIB(20)) == TN_ENOMEM);
  if (resource == RLIMIT_AS) {
    void *q = NULL;
    TEST(tni_os_reserve(TNI_MIB(20), 1, &q) == TN_ENOMEM);
  }
  TEST(setrlimit(resource, &old) == 0);
  pages_release(p, TNI_MIB(20) / pages_size(1));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SMALL_SPACE TNI_GIB(1)  // they map memory of their own as they go
#else
#define SMALL_SPACE TNI_MIB(48)
#endif

/* The whole contract in what `ulimit -v 50000` leaves a small program. */
static void
test_in_small_space(void)
{
  const pid_t child = fork();
  if (child == 0) {
    const rlim_t used = address_space();
    const struct rlimit limit = {used + SMALL_SPACE, RLIM_INFINITY};
    TEST(used > 0 && setrlimit(RLIMIT_AS, &limit) == 0);
    void *p = NULL;
    TEST(tni_os_reserve(SMALL_SPACE + TNI_MIB(16), 1, &p) == TN_ENOMEM);
    pages_test_all();
    _exit(test_done());
  }
  int status = -1;
  TEST(waitpid(child, &status, 0) == child && status == 0);
}

int
main(void)
{
  test_errno_is_kept();
  pages_test_all();
  test_resident();
  test_no_mapping_leak();
  test_no_space_leak();
  test_features();
  TEST(child_passes(case_small_steps));
  test_in_small_space();
  test_under_limit(RLIMIT_DATA);
  test_under_limit(RLIMIT_AS);
  return test_done();
}
