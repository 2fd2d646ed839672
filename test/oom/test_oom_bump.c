/* test_oom_bump.c -- checked allocators, scopes and local chunks that spill,
 * with each call of the system failing in turn
 *
 * Covers  [checked.order] [checked.spill] [checked.full]
 */
#include <tenure/bump.h>

#include "oom.h"

#define MIB ((size_t)1 << 20)

/* A refused try has changed nothing, and a smaller one may still be served. */
static bool
try_or_same(tn_checked *c, uint32_t size)
{
  unsigned char *const cursor = c->cursor, *const limit = c->limit;
  const void *const spill = c->spill;
  unsigned char *const p = tn_checked_try(c, size);
  if (p != NULL) {
    memset(p, 1, size);
    return true;
  }
  TEST(c->cursor == cursor && c->limit == limit && c->spill == spill);
  return false;
}

/* Grows in several steps, in a scope, through two local chunks, and again
 * after a reset. */
static bool
grows(void)
{
  tn_checked root;
  const tn_checked_options options = {.name = "oom", .size = 12 * MIB};
  const tn_status status = tn_checked_create(&root, &options);
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    return false;
  }
  tn_checked *const c = &root;
  bool ok = try_or_same(c, 1000);
  TN_WITH_SCOPE(s, c)
  {
    ok = ok && try_or_same(s, 3 * MIB);
    TN_LOCAL(t, 64, s);
    TN_LOCAL(u, 64, t);
    ok = ok && try_or_same(u, 50) && try_or_same(u, 4 * MIB) &&
         try_or_same(u, 1000);
    TEST(!try_or_same(u, 13 * MIB));
  }
  ok = ok && try_or_same(c, 6 * MIB);
  tn_checked_reset(c);
  ok = ok && try_or_same(c, 9 * MIB);
  tn_checked_destroy(c);
  return ok;
}

/* As much as may be: the sizes tried go down until one is to be had. */
static bool
takes_what_there_is(void)
{
  tn_checked c;
  if (tn_checked_create(&c, NULL) != TN_OK)
    return false;
  const bool ok = try_or_same(&c, MIB);
  tn_checked_destroy(&c);
  return ok;
}

/* The budget: half of it is served, more is not, and half of it still is. */
static void
test_budget(void)
{
  tn_checked c;
  if (!TEST(tn_checked_create(&c, &(tn_checked_options){.size = 24 * MIB}) ==
            TN_OK))
    return;
  tni_fake_set_budget(8 * MIB);
  TN_WITH_SCOPE(s, &c) TEST(try_or_same(s, 4 * MIB));
  TN_WITH_SCOPE(s, &c) TEST(!try_or_same(s, 16 * MIB));
  TN_WITH_SCOPE(s, &c) TEST(try_or_same(s, 4 * MIB));
  tn_checked_destroy(&c);
  tni_fake_set_budget(32 * MIB);
}

/* No guard, no tn_bump: the fake has 64 MiB of addresses. */
static void
test_no_room_for_a_guard(void)
{
  tn_bump b = {.cursor = NULL};
  const tn_status status = tn_bump_create(&b, NULL);
  TEST(status == TN_ENOTSUP || status == TN_ENOMEM);
  TEST(b.cursor == NULL && tni_fake_get_use().reserved < MIB);
}

int
main(void)
{
  TEST(oom_run(grows) > 6);
  TEST(oom_run(takes_what_there_is) > 2);
  test_budget();
  test_no_room_for_a_guard();
  return test_done();
}
