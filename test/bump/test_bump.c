/* The backings of tn_bump and tn_checked: creation, limits, tries, commits,
 * resets, providers.  Who can fail, and how, is the table in
 * doc/design/bump.md.
 *
 * Covers  [bump.region] [bump.guard] [bump.order] [checked.order]
 */
#include <tenure/bump.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../provider/conform.h"
#include "bump/bump.h"
#include "os/os.h"
#include "test.h"

#define IS_EXACT (TN_DEBUG == 0)
#define MIB      ((size_t)1 << 20)

static void
test_options(void)
{
  tn_bump b = {.cursor = NULL};
  TEST(tn_bump_create(&b, &(tn_bump_options){.commit = TN_COMMIT_ASK}) ==
       TN_EINVAL);
  TEST(tn_bump_create(&b, &(tn_bump_options){.commit = (tn_commit)7}) ==
       TN_EINVAL);
  TEST(b.cursor == NULL);
  if (!TEST(tn_bump_create(&b, NULL) == TN_OK))
    return;
  TEST(tn_bump_try(&b, 1) != NULL);
  /* Physical memory, unless a limit is lower. */
  size_t blocks = 0;
  tn_bump all = b;
  while (tn_bump_try(&all, UINT32_MAX))
    blocks++;
  TEST(blocks == (tni_os_budget() - 16) >> 32 || !IS_EXACT);
  tn_bump_destroy(&b);
  TEST(b.cursor == NULL);
}

/* A try takes all there is, and not a byte more; then nothing has changed. */
static void
test_bump_try(tn_commit commit)
{
  tn_bump b;
  const tn_bump_options options = {
      .name = "try", .size = 3 * MIB, .commit = commit};
  if (!TEST(tn_bump_create(&b, &options) == TN_OK))
    return;
  TEST(tn_bump_try(&b, UINT32_MAX) == NULL);
  size_t had = 0;
  unsigned char *before = b.cursor;
  errno = 123;
  for (unsigned char *p; (p = tn_bump_try(&b, 4096)) != NULL; had += 4096) {
    TEST(p == b.cursor && p < before);
    memset(p, 1, 4096);
    before = p;
  }
  TEST(errno == 123);
  TEST(b.cursor == before);
  TEST(had >= 3 * MIB && (!IS_EXACT || had < 3 * MIB + 8192));
  while (tn_bump_try(&b, 1) != NULL)
    had++;
  /* The last granule is the probe's. */
  TEST(!IS_EXACT || b.cursor == tni_bump_region(b.cursor)->low + 16);
  TEST(tn_bump_try(&b, 0) == NULL || IS_EXACT);
  TEST(tn_bump_try_aligned(&b, 1, 4096) == NULL);
  TEST(tn_bump_high_water(&b) >= 3 * MIB);
  tn_bump_reset(&b);
  TEST(tn_bump_high_water(&b) == 0);
  TEST(tn_bump_commit(&b, 3 * MIB) == TN_OK);
  TEST(tn_bump_commit(&b, 30 * MIB) == TN_ERANGE);
  TEST(tn_bump_commit(&b, SIZE_MAX) == TN_ERANGE);
  tn_bump_destroy(&b);
}

/* Fault-grown memory comes through our handler, in steps; touched memory does
 * not.  Huge pages are asked for unless there is no room or no wish. */
static void
test_pages(void)
{
  for (int grown = 0; grown < 2; grown++) {
    tn_bump b;
    const tn_bump_options options = {
        .size = 64 * MIB, .commit = grown ? TN_COMMIT_FAULT : TN_COMMIT_TOUCH};
    TEST(tn_bump_create(&b, &options) == TN_OK);
    const size_t before = tni_os_fault_get_counts().handled;
    for (int i = 0; i < 32; i++)
      tn_bump_push(&b, MIB);
    const size_t faults = tni_os_fault_get_counts().handled - before;
    const size_t most = TN_STRESS_TINY ? 32 : 9;  // steps double, or not
    TEST(grown ? faults > 2 && faults <= most : faults == 0);
    tn_bump_destroy(&b);
  }
  const size_t huge = tni_os_get_config()->huge_size;
  const tn_bump_options cases[] = {{.size = 64 * MIB},
                                   {.size = 64 * MIB, .avoid_huge = true},
                                   {.size = MIB / 4}};
  for (int i = 0; i < 3; i++) {
    tn_bump b;
    TEST(tn_bump_create(&b, &cases[i]) == TN_OK);
    TEST(tni_bump_region(b.cursor)->how.is_huge == (huge && i == 0));
    tn_bump_destroy(&b);
  }
}

/* Any pointer into it is known by name, in every backing. */
static void
test_describe(void)
{
  tn_bump b;
  tn_checked c;
  char text[200];
  TEST(tn_bump_create(&b, &(tn_bump_options){.name = "one"}) == TN_OK);
  TEST(tn_checked_create(&c, &(tn_checked_options){.name = "two"}) == TN_OK);
  tn_describe(tn_bump_push(&b, 10), text, sizeof text);
  TEST(strstr(text, "bump \"one\": ") && strstr(text, "hold its blocks"));
  unsigned char *const p = tn_checked_push(&c, 10);
  tn_describe(p, text, sizeof text);
  TEST(strstr(text, "bump \"two\": ") && strstr(text, "hold its blocks"));
  tn_describe(p - 512 * MIB, text, sizeof text);
  TEST(strstr(text, "bump \"two\": ") && strstr(text, "outside of its blocks"));
  tn_bump_destroy(&b);
  tn_checked_destroy(&c);
}

static void
test_aligned(void)
{
  tn_bump b;
  if (!TEST(tn_bump_create(&b, &(tn_bump_options){.size = 64 * MIB}) == TN_OK))
    return;
  for (uint32_t align = 1; align <= 1 << 20; align *= 2) {
    tn_bump_push(&b, align & 0x55);
    const uintptr_t p = (uintptr_t)tn_bump_push_aligned(&b, 40, align);
    const uintptr_t q = (uintptr_t)tn_bump_try_aligned(&b, 40, align);
    TEST(p % align == 0 && p % 16 == 0 && q % align == 0 && q % 16 == 0);
    TEST(q < p && p - q < 3 * (size_t)align + 128);
  }
  tn_bump_destroy(&b);
}

/* A system call straight into a fresh block, in every backing. */
static void
test_system_calls(tn_commit commit)
{
  tn_bump b;
  const tn_bump_options options = {.size = 16 * MIB, .commit = commit};
  if (!TEST(tn_bump_create(&b, &options) == TN_OK))
    return;
  int ends[2];
  TEST(pipe(ends) == 0);
  for (int i = 0; i < 12; i++) {
    char *const block = tn_bump_push(&b, MIB);
    TEST(write(ends[1], "text", 4) == 4);
    TEST(read(ends[0], block, 4) == 4 && memcmp(block, "text", 4) == 0);
  }
  close(ends[0]);
  close(ends[1]);
  tn_bump_destroy(&b);
}

/* After a spike small uses give the memory back, and keep what they need. */
static void
test_decay(tn_commit commit)
{
  tn_bump b;
  const tn_bump_options options = {.size = 512 * MIB, .commit = commit};
  if (!TEST(tn_bump_create(&b, &options) == TN_OK))
    return;
  const size_t before = tni_os_resident();
  memset(tn_bump_push(&b, 128 * MIB), 1, 128 * MIB);
  TEST(tni_os_resident() >= before + 128 * MIB);
  for (int i = 0; i < 60; i++) {
    tn_bump_reset(&b);
    memset(tn_bump_push(&b, 65536), 1, 65536);
  }
  TEST(TNI_HAS_ASAN || TNI_HAS_TSAN || tni_os_resident() < before + 8 * MIB);
  tn_bump_destroy(&b);
}

static void
test_checked(void)
{
  tn_checked c;
  const tn_checked_options options = {.name = "asked", .size = 5 * MIB};
  if (!TEST(tn_checked_create(&c, &options) == TN_OK))
    return;
  TEST(tn_checked_try(&c, 6 * MIB) == NULL);
  size_t had = 0;
  for (unsigned char *p; (p = tn_checked_try(&c, 1000)); had += 1008)
    memset(p, 1, 1000);
  TEST(had >= 5 * MIB - 1008 && had < 6 * MIB);
  const tn_checked full = c;
  TEST(tn_checked_try(&c, 5000) == NULL);
  TEST(c.cursor == full.cursor && c.limit == full.limit &&
       c.spill == full.spill);
  tn_checked_reset(&c);
  TEST(tn_checked_try(&c, 4 * MIB) != NULL);
  TN_WITH_SCOPE(s, &c)
  {
    const uintptr_t p = (uintptr_t)tn_checked_push_aligned(s, 10, 4096);
    const uintptr_t q = (uintptr_t)tn_checked_try_aligned(s, 10, 65536);
    TEST(p % 4096 == 0 && q % 65536 == 0 && q < p);
    TEST(tn_checked_try_aligned(s, 10, 1u << 30) == NULL ||
         (uintptr_t)s->cursor % (1u << 30) == 0);
  }
  tn_checked_destroy(&c);
  TEST(c.cursor == NULL && tn_checked_try(&c, 1) == NULL);
}

/* A local chunk over a region goes on there; it can have all that is left. */
static void
test_spill(tn_commit commit)
{
  tn_bump b;
  const tn_bump_options options = {.size = 2 * MIB, .commit = commit};
  if (!TEST(tn_bump_create(&b, &options) == TN_OK))
    return;
  tn_bump_push(&b, 100);
  unsigned char *const before = b.cursor;
  TN_WITH_SCOPE(s, &b)
  {
    TN_LOCAL(t, 100, s);
    tn_checked_push(t, 50);
    unsigned char *p = tn_checked_push(t, 60);
    TEST(p == before - 64);
    for (unsigned i = 0; (p = tn_checked_try(t, 5000)) != NULL; i++)
      memset(p, 1, 5000);
    TEST((size_t)(before - t->cursor) > 2 * MIB - 5200);
  }
  TEST(b.cursor == before);
  tn_bump_destroy(&b);
}

static void
test_over(void)
{
  unsigned char memory[64 + 16] __attribute__((aligned(16)));
  for (unsigned skip = 0; skip < 16; skip++) {
    tn_checked c;
    tn_checked_over(&c, memory + skip, 64);
    unsigned count = 0;
    for (unsigned char *p; (p = tn_checked_try(&c, 16)) != NULL; count++)
      TEST(p >= memory + skip && p + 16 <= memory + skip + 64);
    TEST(count == (skip ? 3 : 4));
    tn_checked_leave(&c);
  }
}

static void
test_providers(void)
{
  tn_bump b;
  TEST(tn_bump_create(&b, &(tn_bump_options){.size = 64 * MIB}) == TN_OK);
  tn_bump_provider from_bump = tn_bump_provide(&b);
  conform_provider(&(conform_case){
      .provider = &from_bump.provider, .max_align_log2 = 12, .steps = 2000});
  tn_bump_destroy(&b);
  tn_checked c;
  TEST(tn_checked_create(&c, &(tn_checked_options){.size = 64 * MIB}) == TN_OK);
  tn_checked_provider from_checked = tn_checked_provide(&c);
  conform_provider(&(conform_case){
      .provider = &from_checked.provider, .max_align_log2 = 12, .steps = 2000});
  tn_checked_destroy(&c);
}

int
main(void)
{
  test_options();
  test_pages();
  test_describe();
  test_aligned();
  test_checked();
  test_over();
  test_providers();
  const tn_commit commits[] = {TN_COMMIT_TOUCH, TN_COMMIT_FAULT};
  for (int i = 0; i < 2; i++) {
    test_bump_try(commits[i]);
    test_system_calls(commits[i]);
    test_spill(commits[i]);
    test_decay(commits[i]);
  }
  return test_done();
}
