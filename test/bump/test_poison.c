/* What is used after its release, or outside its block, is seen.
 *
 * Plants are small crimes.  Under AddressSanitizer each kills a child with a
 * report; under valgrind (test_memcheck.py) each raises the error count; in
 * other debug builds released memory reads 0xdd and fresh memory 0xcd; release
 * builds write nothing.
 *
 * Covers  [bump.zone]
 */
#define _DEFAULT_SOURCE  // MAP_ANONYMOUS
#include <tenure/bump.h>

#include <signal.h>
#include <sys/mman.h>

#include "../os/child.h"
#include "base/base.h"
#include "test.h"

#if TNI_HAS_VALGRIND
#include <valgrind/memcheck.h>
#define IN_VALGRIND  RUNNING_ON_VALGRIND
#define COUNT_ERRORS VALGRIND_COUNT_ERRORS
#else
#define IN_VALGRIND  0
#define COUNT_ERRORS 0
#endif

static tn_bump poison_root;
static volatile char poison_sink;

/* Plants read or write through volatile, so that compilers keep the crime. */
static void
look(const void *p)
{
  poison_sink = *(const volatile char *)p;
}

static void
after_scope(void)
{
  const char *p = NULL;
  TN_WITH_SCOPE(s, &poison_root) p = tn_bump_push(s, 100);
  look(p);
}

static void
after_scope_write(void)
{
  volatile char *p = NULL;
  TN_WITH_SCOPE(s, &poison_root) p = tn_bump_push(s, 100);
  p[99] = 1;
}

static void
after_scope_reset(void)
{
  TN_SCOPE(s, &poison_root);
  const char *const p = tn_bump_push(s, 100);
  TN_SCOPE_RESET(s, &poison_root);
  look(p);
}

static void
after_rewind(void)
{
  const tn_bump_mark mark = tn_bump_get_mark(&poison_root);
  const char *const p = tn_bump_push(&poison_root, 5000);
  tn_bump_rewind(&poison_root, mark);
  look(p + 2500);
}

static void
after_reset(void)
{
  tn_bump b;
  if (tn_bump_create(&b, &(tn_bump_options){.size = 1 << 20}) != TN_OK)
    return;
  const char *const p = tn_bump_push(&b, 100);
  tn_bump_reset(&b);
  look(p);
}

static void
after_keep(void)
{
  const char *p = NULL;
  TN_WITH_SCOPE(s, &poison_root)
  {
    p = tn_bump_push(s, 100);
    char *kept = tn_bump_push(s, 100);
    kept[0] = 1;
    tn_bump_push(s, 1000);
    kept = TN_KEEP(&poison_root, s, kept, 10);
    look(kept);
  }
  look(p - 60);
}

static void
after_typed_scope(void)
{
  tn_bump_f32 b;
  if (tn_bump_f32_create(&b, &(tn_bump_options){.size = 1 << 20}) != TN_OK)
    return;
  const float *p = NULL;
  TN_WITH_SCOPE(s, &b) p = tn_bump_f32_push(s, 3);
  look(p);
}

static unsigned char poison_buffer[4096] __attribute__((aligned(16)));

static void
after_checked_scope(void)
{
  tn_checked c;
  tn_checked_over(&c, poison_buffer, sizeof poison_buffer);
  const char *p = NULL;
  TN_WITH_SCOPE(s, &c) p = tn_checked_push(s, 100);
  look(p);
}

static void
after_spilled_local(void)
{
  const char *p = NULL;
  {
    TN_LOCAL(t, 64, &poison_root);
    tn_checked_push(t, 60);
    p = tn_checked_push(t, 200);
  }
  look(p);
}

static void
after_second_spill(void)
{
  tn_checked c;
  tn_checked_over(&c, poison_buffer, sizeof poison_buffer);
  const char *p = NULL;
  {
    TN_LOCAL(t, 64, &c);
    TN_LOCAL(u, 64, t);
    p = tn_checked_push(u, 100);
    look(p);
  }
  look(p);
}

static void
past_the_end(void)
{
  const char *const p = tn_bump_push(&poison_root, 10);
  look(p + 10);
}

static void
past_the_end_checked(void)
{
  TN_LOCAL(t, 64, NULL);
  const char *const p = tn_checked_push(t, 10);
  look(p + 12);
}

static void
below_the_start(void)
{
  const char *const p = tn_bump_push(&poison_root, 16);
  look(p - 1);
}

static void
between_blocks(void)
{
  const char *const p = tn_bump_push(&poison_root, 16);
  tn_bump_push(&poison_root, 16);
  look(p - 1);
}

static void (*const poison_plants[])(void) = {
    after_scope,       after_scope_write,   after_scope_reset,
    after_rewind,      after_reset,         after_keep,
    after_typed_scope, after_checked_scope, after_spilled_local,
    past_the_end,      after_second_spill,  past_the_end_checked,
    below_the_start,   between_blocks,
};
enum { POISON_PLANTS = sizeof poison_plants / sizeof *poison_plants };

/* The same steps without a crime: no report. */
static void
innocent(void)
{
  for (int i = 0; i < 3; i++) {
    TN_SCOPE(s, &poison_root);
    char *const p = tn_bump_push(s, 10);
    memset(p, 1, 10);
    TN_LOCAL(t, 32, s);
    char *const q = tn_checked_push(t, 100);
    memset(q, 2, 100);
    char *const r = TN_KEEP(s, t, q, 100);
    TEST(r[99] == 2 && p[9] == 1);
    TN_SCOPE_RESET(s, &poison_root);
  }
  tn_checked c;
  tn_checked_over(&c, poison_buffer, sizeof poison_buffer);
  TN_WITH_SCOPE(s, &c) memset(tn_checked_push(s, 4000), 1, 4000);
  tn_checked_leave(&c);
  memset(poison_buffer, 0, sizeof poison_buffer);
}

static void
test_valgrind(void)
{
  const unsigned long before = COUNT_ERRORS;
  innocent();
  TEST(COUNT_ERRORS == before);
  for (size_t i = 0; i < POISON_PLANTS; i++) {
    const unsigned long errors = COUNT_ERRORS;
    poison_plants[i]();
    if (!TEST(COUNT_ERRORS != errors))
      fprintf(stderr, "plant %zu was not seen\n", i);
    tn_checked all;
    tn_checked_over(&all, poison_buffer, sizeof poison_buffer);
    tn_checked_leave(&all);
  }
}

/* The addresses of a region that is gone are not forbidden to whoever gets
 * them next. */
static void
gone(void)
{
  tn_bump b;
  tn_checked c;
  TEST(tn_bump_create(&b, &(tn_bump_options){.size = 1 << 24}) == TN_OK);
  TEST(tn_checked_create(&c, &(tn_checked_options){.size = 1 << 24}) == TN_OK);
  unsigned char *parts[4] = {NULL};
  TN_WITH_SCOPE(s, &b) parts[0] = tn_bump_push(s, 1 << 20);
  {
    TN_LOCAL(t, 64, &b);
    parts[1] = tn_checked_push(t, 1 << 21);
  }
  tn_bump_reset(&b);
  TN_WITH_SCOPE(s, &c) parts[2] = tn_checked_push(s, 1 << 20);
  parts[3] = tn_checked_push(&c, 1 << 10);
  tn_bump_destroy(&b);
  tn_checked_destroy(&c);
  for (int i = 0; i < 4; i++) {
    unsigned char *const page =
        parts[i] - (uintptr_t)parts[i] % 65536 + (i < 3 ? 65536 : 0);
    TEST(mmap(page, 65536, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
    memset(page, 1, 65536);
  }
}

static void
test_asan(void)
{
  TEST(child_passes(gone));
  TEST(child_passes(innocent));
  for (size_t i = 0; i < POISON_PLANTS; i++) {
    const child_end end = child_run(poison_plants[i]);
    if (!TEST(strstr(end.text, "ERROR: AddressSanitizer") != NULL))
      fprintf(stderr, "plant %zu was not seen\n", i);
  }
}

static void
test_patterns(void)
{
  const unsigned char *p = NULL;
  TN_WITH_SCOPE(s, &poison_root)
  {
    p = tn_bump_push(s, 100);
    memset(tn_bump_push(s, 100), 7, 100);
    TEST(p[1] == (TN_DEBUG ? 0xcd : 0) && p[99] == (TN_DEBUG ? 0xcd : 0));
    p = tn_bump_push(s, 10);
    memset((void *)(uintptr_t)p, 7, 10);
  }
  TEST(p[0] == (TN_DEBUG ? 0xdd : 7) && p[9] == (TN_DEBUG ? 0xdd : 7));
  innocent();
  gone();
}

int
main(void)
{
  if (!TEST(tn_bump_create(&poison_root, &(tn_bump_options){.size = 1 << 20}) ==
            TN_OK))
    return test_done();
  if (IN_VALGRIND)
    test_valgrind();
  else if (TNI_HAS_ASAN && TN_DEBUG)
    test_asan();
  else if (!TNI_HAS_ASAN)
    test_patterns();
  return test_done();
}
