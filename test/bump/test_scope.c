/* The scope macros in every place where they may stand, over every kind of
 * cursor, and TN_KEEP.  Debug builds put red zones between the blocks of
 * tn_bump and the typed cursors, so exact distances are checked in release.
 *
 * Covers  [bump.order] [bump.align] [checked.order] [checked.spill]
 *         [checked.value] [track.child]
 */
#include <tenure/bump.h>

#include "test.h"

#define IS_EXACT (TN_DEBUG == 0)

typedef struct pair {
  int a, b;
} pair;

static tn_bump test_root;

static bool
early_return(tn_bump *b)
{
  TN_SCOPE(s, b);
  if (tn_bump_push(s, 100) != NULL)
    return true;
  return false;
}

/* The scope as the body of if, else, for, while, switch; nested; left by
 * break, continue, goto and return: the parent is where it was. */
static void
test_places(tn_bump *b, int what)
{
  unsigned char *const before = b->cursor;
  if (what & 1)
    TN_WITH_SCOPE(s, b) TEST(tn_bump_push(s, 10) != NULL);
  else
    TN_WITH_SCOPE(s, b) TEST(tn_bump_push(s, 20) != NULL);
  TEST(b->cursor == before);
  for (int i = 0; i < 3; i++)
    TN_WITH_SCOPE(s, b)
    {
      tn_bump_push(s, 100);
      if (i == 1)
        break;
      TN_WITH_SCOPE(t, s)
      {
        tn_bump_push(t, 1000);
        if (i == 2)
          continue;
      }
    }
  TEST(b->cursor == before);
  switch (what) {
  case 1: {
    TN_SCOPE(s, b);
    tn_bump_push(s, 5);
    break;
  }
  default: {
    TN_SCOPE(s, b);
    tn_bump_push(s, 5);
    goto out;
  }
  }
out:
  TEST(b->cursor == before);
  TEST(early_return(b) && b->cursor == before);
}

/* A scope may have its parent's name, inside. */
static void
test_same_name(tn_bump *b)
{
  unsigned char *const before = b->cursor;
  tn_bump *const outer = b;
  {
    TN_SCOPE(s, outer);
    tn_bump_push(s, 64);
    TEST(s->cursor < before && b->cursor == before);
  }
  TEST(tn_bump_push(b, 16) != NULL);
}

/* The result first, then scratch; a loop that resets its scope. */
static void
test_idioms(tn_bump *b)
{
  int *const sums = TN_NEW_ARRAY(b, int, 10);
  TN_SCOPE(s, b);
  unsigned char *lowest = NULL;
  for (int i = 0; i < 10; i++) {
    int *const squares = TN_NEW_ARRAY(s, int, i + 1);
    sums[i] = 0;
    for (int j = 0; j <= i; j++) {
      squares[j] = j * j;
      sums[i] += squares[j];
    }
    if (i == 0)
      lowest = s->cursor;
    TEST(i != 1 || s->cursor == lowest);
    TN_SCOPE_RESET(s, b);
    TEST(s->cursor == b->cursor);
  }
  TEST(sums[0] == 0 && sums[9] == 285);
}

/* [bump.keep]: the bytes are equal, the parent grows by their rounded size. */
static void
test_keep(tn_bump *b, uint32_t junk, uint32_t size)
{
  unsigned char *const before = b->cursor;
  unsigned char *kept = NULL;
  TN_WITH_SCOPE(s, b)
  {
    tn_bump_push(s, junk);
    kept = tn_bump_push(s, size);
    for (uint32_t i = 0; i < size; i++)
      kept[i] = (unsigned char)(i * 7 + junk);
    tn_bump_push(s, 50);
    kept = TN_KEEP(b, s, kept, size);
  }
  for (uint32_t i = 0; i < size; i++)
    if (!TEST(kept[i] == (unsigned char)(i * 7 + junk)))
      break;
  const size_t rounded = (size + 15) / 16 * 16;
  TEST(b->cursor == kept);
  TEST((size_t)(before - kept) == rounded + (IS_EXACT ? 0 : 16));
}

static void
test_typed(void)
{
  tn_bump_f32 root;
  if (!TEST(tn_bump_f32_create(&root, NULL) == TN_OK))
    return;
  tn_bump_f32 *const b = &root;
  float *const x = tn_bump_f32_push(b, 3);
  for (int i = 0; i < 3; i++)
    x[i] = (float)i;
  {
    TN_SCOPE(s, b);
    float *y = tn_bump_f32_push(s, 2);
    TEST(!IS_EXACT || x - y == 2);
    TN_SCOPE_RESET(s, b);
    float *const z = tn_bump_f32_push(s, 5);
    TEST(!IS_EXACT || x - z == 5);
    z[3] = 3, z[4] = 4;
    y = TN_KEEP(b, s, z + 3, 2);
    TEST(y[0] == 3 && y[1] == 4 && b->cursor == y);
    TEST(!IS_EXACT || x - y == 2);
  }
  TEST(x[0] == 0 && x[1] == 1 && x[2] == 2);
  tn_bump_f32_destroy(b);
}

/* A local chunk goes on in what it spills into, by value. */
static void
test_local(void)
{
  unsigned char memory[4096 + 15];
  tn_checked over, *const b = &over;
  tn_checked_over(b, memory, sizeof memory);
  unsigned char *const before = b->cursor;
  TEST(((uintptr_t)before & 15) == 0);
  for (int turn = 0; turn < 3; turn++) {
    TN_LOCAL(t, 60, b);
    unsigned char *const local = tn_checked_push(t, 64);
    TEST(local == tni_t_bytes);
    TEST((unsigned char *)tn_checked_push(t, 16) == before - 16);
    TN_LOCAL(u, 16, t);
    TEST(tn_checked_push(u, 1) == tni_u_bytes);
    TEST((unsigned char *)tn_checked_push(u, 30) == before - 48);
    TEST(tn_checked_try(u, 5000) == NULL);
    TEST((unsigned char *)tn_checked_push(u, 16) == before - 64);
    const pair *const p = TN_NEW(u, pair, {1, 2});
    TEST(p->a == 1 && p->b == 2);
  }
  TEST(b->cursor == before);
  tn_checked_leave(b);
}

/* TN_KEEP from a local chunk, and from where it spilled, into its parent. */
static void
test_keep_local(tn_bump *b, uint32_t junk)
{
  unsigned char *const before = b->cursor;
  char *kept = NULL;
  {
    TN_LOCAL(t, 256, b);
    tn_checked_push(t, junk);
    kept = tn_checked_push(t, 100);
    memcpy(kept, "what is kept", 13);
    kept = TN_KEEP(b, t, kept, 100);
  }
  TEST_TEXT(kept, "what is kept");
  TEST(!IS_EXACT || (unsigned char *)kept == before - 112);
  {
    TN_LOCAL(t, 256, NULL);
    char *const text = tn_checked_push(t, 100);
    memcpy(text, "nowhere to spill", 17);
    kept = TN_KEEP(b, t, text, 100);
  }
  TEST_TEXT(kept, "nowhere to spill");
}

static void
test_keep_checked(void)
{
  unsigned char memory[512] __attribute__((aligned(16)));
  tn_checked over, *const b = &over;
  tn_checked_over(b, memory, sizeof memory);
  char *kept = NULL;
  TN_WITH_SCOPE(s, b)
  {
    tn_checked_push(s, 40);
    kept = tn_checked_push(s, 33);
    memcpy(kept, "kept", 5);
    kept = TN_KEEP(b, s, kept, 33);
  }
  TEST((unsigned char *)kept == memory + 512 - 48);
  TEST_TEXT(kept, "kept");
  tn_checked_leave(b);
}

static void
test_marks(tn_bump *b)
{
  const tn_bump_mark first = tn_bump_get_mark(b);
  tn_bump_push(b, 100);
  const tn_bump_mark second = tn_bump_get_mark(b);
  tn_bump_push(b, 100);
  tn_bump_rewind(b, second);
  TEST(b->cursor == second.cursor);
  tn_bump_rewind(b, first);
  TEST(b->cursor == first.cursor);
}

int
main(void)
{
  const tn_bump_options options = {.name = "test", .size = 1 << 24};
  if (!TEST(tn_bump_create(&test_root, &options) == TN_OK))
    return test_done();
  tn_bump *const b = &test_root;
  test_places(b, 1);
  test_places(b, 2);
  test_same_name(b);
  test_idioms(b);
  for (uint32_t junk = 0; junk < 100; junk += 33)
    for (uint32_t size = 0; size < 300; size += 7)
      test_keep(b, junk, size);
  test_typed();
  test_local();
  test_keep_local(b, 100);
  test_keep_local(b, 200);
  test_keep_checked();
  test_marks(b);
  tn_bump_destroy(b);
  return test_done();
}
