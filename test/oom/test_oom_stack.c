/* test_oom_stack.c -- stacks and pools of stacks, each call of the system
 * failing in turn
 *
 * Covers  [stack.order] [provider.same]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/mem.h>
#include <tenure/stack.h>

#include "oom.h"

/* Frames with blocks in memory that is asked for: a refusal is a value, and
 * what there was can be popped. */
static bool
asks(void)
{
  tn_stack s;
  if (tn_stack_create(&s, &(tn_stack_options){.size = (size_t)3 << 20,
                                              .commit = TN_COMMIT_ASK}) !=
      TN_OK)
    return false;
  bool ok = true;
  for (int i = 0; i < 2 && ok; i++) {
    const unsigned char *const cursor = s.cursor;
    tn_frame *const frame = tn_frame_push(&s, 16, "asks");
    unsigned char *const p =
        frame ? tn_stack_alloc(&s, (size_t)1 << 20, 64) : NULL;
    TEST(frame || s.cursor == cursor);
    ok = p != NULL;
    if (p)
      memset(p, i, (size_t)1 << 20);
  }
  while (s.frame)
    (void)tn_frame_pop(&s, s.frame);
  TEST(s.cursor <= s.base + 2 * 16);
  tn_stack_fini(&s);
  return ok;
}

/* Without a size it makes do with less address space. */
static bool
touches(void)
{
  tn_stack s;
  tni_fake_set_budget((size_t)2 << 20);
  if (tn_stack_create(&s, NULL) != TN_OK)
    return false;
  TEST(tn_stack_alloc(&s, 1000, 16) != NULL);
  tn_stack_fini(&s);
  return true;
}

static bool
takes(bool is_eager)
{
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {
      .count = 3, .size = 1 << 14, .is_eager = is_eager};
  tn_stack_room room = {0};
  bool ok = true;
  if (tn_stack_pool_create(&pool, &options) != TN_OK)
    return false;
  for (size_t i = 0; i < 3 && ok; i++) {
    ok = tn_stack_pool_take(pool, &room) == TN_OK;
    TEST(tn_stack_pool_get_taken(pool) == i + ok);
    if (ok)
      memset(room.low, 1, room.size);
  }
  if (ok) {
    tn_stack_pool_park(pool, room.low, (char *)room.low + room.size);
    tn_stack_pool_give(pool, room.low);
    ok = tn_stack_pool_take(pool, &room) == TN_OK;
  }
  tn_stack_pool_destroy(pool);
  return ok;
}

static bool
takes_lazily(void)
{
  return takes(false);
}

static bool
takes_eagerly(void)
{
  return takes(true);
}

static bool
keeps_secret(void)
{
  tn_secret secret;
  if (tn_secret_create(&secret, 100, 0) != TN_OK)
    return false;
  memset(secret.data, 1, 100);
  tn_secret_destroy(&secret);
  return true;
}

int
main(void)
{
  TEST(oom_run(asks) > 5);
  TEST(oom_run(touches) > 4);
  TEST(oom_run(takes_lazily) > 16);
  TEST(oom_run(takes_eagerly) > 16);
  TEST(oom_run(keeps_secret) == 4);
  /* Most of the address space is taken: a stack makes do with the rest. */
  void *taken = NULL;
  TEST(tni_os_reserve((size_t)56 << 20, 4096, &taken) == TN_OK);
  tn_stack s;
  if (TEST(tn_stack_create(&s, NULL) == TN_OK)) {
    TEST(tn_stack_alloc(&s, (size_t)1 << 20, 16) != NULL);
    tn_stack_fini(&s);
  }
  return test_done();
}
