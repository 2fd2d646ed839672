/* test_oom_arena.c -- arenas and scratch arenas, with each call of the system
 * failing in turn
 * Covers [arena.same] [scratch.other]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/scratch.h>

#include "oom.h"

#define MIB ((size_t)1 << 20)

/* A refused request has changed nothing. */
static bool
try_or_same(tn_arena *a, size_t size)
{
  const size_t gone = a->gone, used = tn_arena_get_stats(a).used;
  const unsigned char *const top = a->top;
  unsigned char *const p = tn_arena_try(a, size);
  if (p != NULL) {
    memset(p, 1, size);
    return true;
  }
  TEST(a->gone == gone && a->top == top);
  TEST(tn_arena_get_stats(a).used == used);
  return false;
}

static bool
phases(const tn_arena_options *options)
{
  tn_arena a;
  const tn_status status = tn_arena_create(&a, options);
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    return false;
  }
  bool ok = try_or_same(&a, 1000);
  for (int i = 0; i < 2; i++) {
    TN_WITH_TEMP(&a)
    {
      ok = ok && try_or_same(&a, MIB / 2) && try_or_same(&a, 10);
    }
    ok = ok && try_or_same(&a, MIB / 8);
    tn_arena_trim(&a);
  }
  tn_arena_reset(&a);
  ok = ok && try_or_same(&a, MIB / 2);
  tn_arena_destroy(&a);
  return ok;
}

static bool
asks(void)
{
  return phases(&(tn_arena_options){
      .name = "asks", .size = MIB, .commit = TN_COMMIT_ASK});
}

static bool
touches(void)
{
  return phases(&(tn_arena_options){.size = MIB, .zero = true});
}

/* Chunks from an arena that asks, a child and a cleanup. */
static int cleaned;

static void
clean(void *unused)
{
  (void)unused;
  cleaned++;
}

static bool
tree(void)
{
  tn_arena parent, child;
  if (tn_arena_create(
          &parent, &(tn_arena_options){.size = MIB, .commit = TN_COMMIT_ASK}) !=
      TN_OK)
    return false;
  const tn_arena_options options = {.parent = &parent,
                                    .provider = tn_arena_provider(&parent)};
  TEST(tn_arena_create(&child, &options) == TN_OK);  // asks for nothing yet
  cleaned = 0;
  bool ok = try_or_same(&child, 100) && try_or_same(&child, 100000) &&
            try_or_same(&child, MIB / 4);
  const int registered = tn_arena_try_defer(&child, clean, NULL) != NULL;
  ok = ok && registered;
  tn_arena_destroy(&parent);
  TEST(cleaned == registered);
  return ok;
}

static bool
scratch(void)
{
  bool ok;
  tni_fake_set_budget(MIB);  // the fake writes to all of what is committed
  {
    TN_SCRATCH(a, NULL);
    TN_SCRATCH(b, a);
    ok = a != NULL && b != NULL;
    if (ok) {
      memset(tn_arena_push(a, 1000), 1, 1000);
      memset(tn_arena_push(b, 1000), 1, 1000);
    }
  }
  tn_scratch_fini();
  return ok;
}

int
main(void)
{
  TEST(oom_run(asks) > 0);
  TEST(oom_run(touches) > 0);
  TEST(oom_run(tree) > 0);
  TEST(oom_run(scratch) > 0);
  return test_done();
}
