/* Every backing under limits on address space and data, and under each
 * overcommit policy: what cannot be had is a value, and the process lives.
 * The policies are tried where /proc lets us change them, and put back.
 *
 * Covers  the table in doc/design/bump.md
 */
#include <tenure/bump.h>

#include <signal.h>
#include <sys/resource.h>

#include "../os/child.h"
#include "os/os.h"
#include "test.h"

#define MIB ((size_t)1 << 20)

static void
limit(int what, size_t bytes)
{
  const struct rlimit most = {bytes, bytes};
  TEST(setrlimit(what, &most) == 0);
}

/* Push until nothing is left, touching all; returns the bytes had. */
static size_t
exhaust_checked(void)
{
  tn_checked c;
  if (!TEST(tn_checked_create(&c, NULL) == TN_OK))
    return 0;
  size_t had = 0;
  for (unsigned char *p; had < 256 * MIB && (p = tn_checked_try(&c, 65536));
       had += 65536)
    memset(p, 1, 65536);
  TEST(had == 256 * MIB || tn_checked_try(&c, 65536) == NULL);
  tn_checked_destroy(&c);
  return had;
}

/* `ulimit -v 50000`: no room for a guard; asking and buffers work. */
static void
little_address_space(void)
{
  limit(RLIMIT_AS, 50000 * 1024);
  const tn_commit commits[] = {TN_COMMIT_TOUCH, TN_COMMIT_FAULT};
  for (int i = 0; i < 2; i++) {
    tn_bump b = {.cursor = NULL};
    TEST(tn_bump_create(&b, &(tn_bump_options){.commit = commits[i]}) ==
         TN_ENOMEM);
    TEST(b.cursor == NULL);
  }
  const size_t had = exhaust_checked();
  TEST(had > 5 * MIB && had < 50 * MIB);
  TN_LOCAL(t, 1000, NULL);
  TEST(tn_checked_try(t, 500) != NULL && tn_checked_try(t, 600) == NULL);
}

/* Room for guards, but not for much memory. */
static void
little_data(void)
{
  limit(RLIMIT_DATA, 64 * MIB);
  const size_t had = exhaust_checked();
  TEST(had > 16 * MIB && had <= 64 * MIB);
  tn_bump b;
  const tn_bump_options grown = {.commit = TN_COMMIT_FAULT};
  if (!TEST(tn_bump_create(&b, &grown) == TN_OK))
    return;
  size_t tried = 0;
  for (unsigned char *p; tried < 256 * MIB && (p = tn_bump_try(&b, 65536));
       tried += 65536)
    memset(p, 1, 65536);
  TEST(tried > 16 * MIB && tried <= 64 * MIB);
  tn_bump_destroy(&b);
}

/* Grown by touching, with nobody asked: a line, not a silent death. */
static void
little_data_touched(void)
{
  limit(RLIMIT_DATA, 64 * MIB);
  tn_bump b;
  const tn_bump_options grown = {
      .name = "grown", .size = 256 * MIB, .commit = TN_COMMIT_FAULT};
  if (!TEST(tn_bump_create(&b, &grown) == TN_OK))
    return;
  void *volatile other = malloc(60 * MIB);  // or clang leaves it out
  TEST(other != NULL);
  for (int i = 0; i < 60; i++)
    tn_bump_push(&b, MIB);
  free(other);
}

/* Each backing does its work whatever the policy. */
static void
each_backing(void)
{
  const tn_commit commits[] = {TN_COMMIT_TOUCH, TN_COMMIT_FAULT};
  for (int i = 0; i < 2; i++) {
    tn_bump b;
    const tn_bump_options options = {.commit = commits[i], .size = 64 * MIB};
    const tn_status status = tn_bump_create(&b, &options);
    TEST(status == TN_OK || status == TN_ENOMEM);
    if (status != TN_OK)
      continue;
    memset(tn_bump_push(&b, 8 * MIB), 1, 8 * MIB);
    tn_bump_destroy(&b);
  }
  tn_checked c;
  if (!TEST(tn_checked_create(&c, &(tn_checked_options){.size = 64 * MIB}) ==
            TN_OK))
    return;
  memset(tn_checked_push(&c, 8 * MIB), 1, 8 * MIB);
  tn_checked_destroy(&c);
}

static bool
set_policy(char policy)
{
  FILE *const f = fopen("/proc/sys/vm/overcommit_memory", "w");
  if (!f)
    return false;
  const bool ok = fputc(policy, f) == policy;
  return fclose(f) == 0 && ok;
}

static void
test_policies(void)
{
  FILE *const f = fopen("/proc/sys/vm/overcommit_memory", "r");
  const int before = f ? fgetc(f) : EOF;
  if (f)
    fclose(f);
  TEST(child_passes(each_backing));
  if (before == EOF || !set_policy((char)before))
    return;  // not ours to change
  for (int policy = 0; policy <= 1; policy++) {
    set_policy(policy ? '1' : '0');
    TEST(child_passes(each_backing));
  }
  set_policy((char)before);
}

int
main(void)
{
  if (TNI_HAS_ASAN + TNI_HAS_TSAN == 0) {  // those need terabytes
    TEST(child_passes(little_address_space));
    TEST(child_passes(little_data));
    TEST(child_dies(little_data_touched, SIGABRT,
                    "[region.refused] bump \"grown\""));
  }
  test_policies();
  return test_done();
}
