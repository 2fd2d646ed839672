#include <tenure/bump.h>

#include "test.h"

static void
test_scopes(void)
{
  static unsigned char memory[4096] __attribute__((aligned(16)));
  tn_checked over, *const b = &over;
  tn_checked_over(b, memory, sizeof memory);
  unsigned char *const result = tn_checked_push(b, 10);
  unsigned char *const before = b->cursor;
  TN_WITH_SCOPE(s, b)
  {
    unsigned char *const x = tn_checked_push(s, 100);
    TEST(x == result - 112);
    unsigned char *kept = tn_checked_push(s, 33);
    memset(kept, 7, 33);
    kept = TN_KEEP(b, s, kept, 33);
    TEST(kept == result - 48 && kept[0] == 7 && kept[32] == 7);
  }
  TEST(b->cursor == before - 48);
  TN_LOCAL(t, 64, b);
  TEST(tn_checked_push(t, 64) == tni_t_bytes);
  TEST(tn_checked_push(t, 16) == before - 64);
  TEST(b->cursor == before - 48);
  TEST(tn_checked_try(t, 8192) == NULL);
  typedef struct pair {
    int a, b;
  } pair;
  const pair *const p = TN_NEW(t, pair, {1, 2});
  TEST(p->a == 1 && p->b == 2);
  int *const array = TN_NEW_ARRAY(t, int, 5);
  TEST((void *)(array + 8) == (const void *)p);
}

static void
test_typed(void)
{
  static float memory[4096];
  tn_bump_f32 base = {memory + 4096}, *const b = &base;
  float *const x = tn_bump_f32_push(b, 3);
  TEST(x == memory + 4093);
  TN_SCOPE(s, b);
  for (int i = 0; i < 3; i++) {
    float *const y = tn_bump_f32_push(s, 2);
    TEST(y == memory + 4091);
    TN_SCOPE_RESET(s, b);
  }
  float *y = tn_bump_f32_push(s, 2);
  y[0] = 1, y[1] = 2;
  y = TN_KEEP(b, s, y, 1);
  TEST(y == memory + 4092 && *y == 1 && b->cursor == y);
}

int
main(void)
{
  test_scopes();
  test_typed();
  return test_done();
}
