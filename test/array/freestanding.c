/* freestanding.c -- both forms where there is no libc and pointers have 32 bits
 *
 * test_wasm.py builds it for wasm32 and calls check().
 */
#include <tenure/array.h>
#include <tenure/source.h>

typedef struct pair {
  unsigned a;
  unsigned char b;
} pair;
typedef TN_ARRAY(pair) pairs;
typedef TN_SEGMENTS(pair) segments;

static unsigned char buffer[4 << 20];

#define FILL(array, count)                                                     \
  for (unsigned i = 0; i < (count); i++)                                       \
  tn_array_push(array, (pair){i, (unsigned char)i})

enum { COUNT = 100000 };

static int
check_array(void)
{
  tn_fixed fixed;
  pairs a;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  tn_array_init(&a, &fixed.provider);
  FILL(&a, COUNT);
  if (tn_len(&a) != COUNT || tn_array_at(&a, COUNT - 1)->a != COUNT - 1)
    return 1;
  if (tn_array_reserve(&a, PTRDIFF_MAX / sizeof(pair)))
    return 2;
  return 0;
}

/* Index and iteration agree, and nothing moves. */
static int
check_segments(segments *b)
{
  const pair *const first = tn_array_push(b, (pair){0, 0});
  tn_array_clear(b);
  FILL(b, COUNT);
  if (tn_len(b) != COUNT || tn_array_at(b, 0) != first)
    return 3;
  unsigned seen = 0;
  TN_ARRAY_EACH (item, b) {
    if (item->a != seen || item != tn_array_at(b, seen))
      return 4;
    seen++;
  }
  return seen == COUNT ? 0 : 5;
}

/* Up to the last piece that fits, and back. */
static int
check_exhaustion(segments *b)
{
  unsigned count = COUNT;
  while (tn_array_try_push(b, (pair){count, 0}))
    count++;
  if (tn_len(b) != count || count == COUNT)
    return 6;
  while (count > 0) {
    if (tn_array_pop(b).a != --count)
      return 7;
  }
  return tn_len(b) == 0 ? 0 : 8;
}

int check(void);

/* 0, or the number of the first thing that is wrong. */
__attribute__((export_name("check"))) int
check(void)
{
  tn_fixed fixed;
  segments b;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  tn_array_init(&b, &fixed.provider);
  int wrong = check_segments(&b);
  if (wrong == 0)
    wrong = check_exhaustion(&b);
  return wrong ? wrong : check_array();
}
