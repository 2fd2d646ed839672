/* test_array.c -- the face, for both forms, against a plain model
 *
 * Covers  [array.order] [array.still] [array.same] [array.grant]
 */
#include <tenure/array.h>
#include <tenure/source.h>

#include "../provider/malloc_provider.h"
#include "test.h"

typedef struct item {
  uint64_t value;
  unsigned char tail[5];  // a size that is no power of two
} item;

typedef TN_ARRAY(item) items;
typedef TN_SEGMENTS(item) item_segments;
typedef TN_ARRAY(int) ints;
typedef TN_SEGMENTS(int) segments_of_int;
typedef TN_SEGMENTS(char) char_segments;
typedef struct wide {
  _Alignas(64) char bytes[64];
} wide;
typedef TN_ARRAY(wide) wides;
typedef TN_SEGMENTS(wide) wide_segments;

enum { MODEL_MAX = 3000 };
static uint64_t model[MODEL_MAX];

#define ITEM_ARRAY  items
#define NAMED(name) name##_of_array
#include "model.h"
#undef ITEM_ARRAY
#undef NAMED
#define ITEM_ARRAY  item_segments
#define NAMED(name) name##_of_segments
#include "model.h"

/* [array.still]: every address ever returned stays right. */
static void
check_still(void)
{
  static item *where[MODEL_MAX];
  malloc_provider memory;
  malloc_provider_init(&memory);
  item_segments a;
  tn_array_init(&a, &memory.provider);
  for (size_t i = 0; i < MODEL_MAX; i++)
    where[i] = tn_array_push(&a, (item){.value = i});
  for (size_t i = 0; i < MODEL_MAX; i++)
    TEST(where[i]->value == i && where[i] == tn_array_at(&a, i));
  /* Going back and forth over the edges of pieces finds them again. */
  const size_t allocations = memory.allocations;
  for (size_t i = MODEL_MAX; i-- > 7;)
    TEST(tn_array_pop(&a).value == i);
  for (size_t i = 7; i < MODEL_MAX; i++)
    TEST(tn_array_push(&a, (item){.value = i}) == where[i]);
  tn_array_clear(&a);
  for (size_t i = 0; i < MODEL_MAX; i++)
    TEST(tn_array_push(&a, (item){.value = i}) == where[i]);
  TEST(memory.allocations == allocations);
  tn_array_fini(&a);
  TEST(memory.live_bytes == 0);
}

static size_t
count_allocations(size_t pushes, size_t hint, size_t extra)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  memory.extra = extra;
  ints a;
  tn_array_init(&a, &memory.provider);
  TEST(tn_array_reserve(&a, hint));
  for (size_t i = 0; i < pushes; i++)
    tn_array_push(&a, (int)i);
  for (size_t i = 0; i < pushes; i++)
    TEST(*tn_array_at(&a, i) == (int)i);
  tn_array_fini(&a);
  TEST(memory.wrong_sizes == 0);
  return memory.allocations;
}

/* [array.grant]: what is granted beyond the request saves growth; a hint
 * leaves one allocation. */
static void
check_feedback(void)
{
  TEST(count_allocations(1000, 0, 0) == 7);
  TEST(count_allocations(1000, 0, 256) == 4);
  TEST(count_allocations(1000, 0, 4096) == 1);
  TEST(count_allocations(1000, 1000, 0) == 1);
  TEST(count_allocations(0, 0, 0) == 0);
}

static size_t
count_resizes(size_t extra, size_t room)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  memory.extra = extra;
  memory.room = room;
  ints a;
  tn_array_init(&a, &memory.provider);
  int *const first = tn_array_push(&a, 0);
  memory.budget = 0;  // from here on only in place
  for (int i = 1; i < 1000; i++)
    TEST(tn_array_try_push(&a, i) == first + i);
  tn_array_fini(&a);
  TEST(memory.wrong_sizes == 0 && memory.live_bytes == 0);
  return memory.resizes;
}

/* Growing in place: what is granted saves calls, and a shortage of room does
 * not lead to a call a push. */
static void
check_resizes(void)
{
  TEST(count_resizes(0, 1 << 20) == 6);
  TEST(count_resizes(4096, 1 << 20) == 0);
  TEST(count_resizes(1600, 1 << 20) == 1);
  TEST(count_resizes(0, 1000 * sizeof(int)) < 100);
}

/* In a buffer the array grows in place to the last element that fits. */
static void
check_in_place(void)
{
  _Alignas(16) unsigned char buffer[1000 * sizeof(int)];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  ints a;
  tn_array_init(&a, &fixed.provider);
  for (int i = 0; i < 1000; i++)
    TEST((unsigned char *)tn_array_try_push(&a, i) ==
         buffer + (size_t)i * sizeof(int));
  TEST(tn_array_try_push(&a, 1000) == NULL && tn_len(&a) == 1000);
  TEST(tn_array_pop(&a) == 999 && *tn_array_push(&a, 7) == 7);
}

static void
check_sizes(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  wides a;
  wide_segments b;
  char_segments c;
  tn_array_init(&a, &memory.provider);
  tn_array_init(&b, &memory.provider);
  tn_array_init(&c, &memory.provider);
  for (size_t i = 0; i < 1000; i++) {
    TEST((uintptr_t)tn_array_push(&a, (wide){.bytes = {(char)i}}) % 64 == 0);
    TEST((uintptr_t)tn_array_push(&b, (wide){.bytes = {(char)i}}) % 64 == 0);
    tn_array_push(&c, (char)i);
  }
  for (size_t i = 0; i < 1000; i++)
    TEST(tn_array_at(&a, i)->bytes[0] == (char)i &&
         tn_array_at(&b, i)->bytes[0] == (char)i &&
         *tn_array_at(&c, i) == (char)i);
#if !TN_DEBUG && !TN_HARDEN  // [array.size] dies there: test/death
  TEST(!tn_array_reserve(&a, SIZE_MAX));
  TEST(!tn_array_reserve(&b, SIZE_MAX / 64));
#endif
  TEST(!tn_array_reserve(&c, PTRDIFF_MAX));
  TEST(tn_len(&a) == 1000 && tn_len(&b) == 1000 && tn_len(&c) == 1000);
  tn_array_fini(&a);
  tn_array_fini(&b);
  tn_array_fini(&c);
  TEST(memory.live_bytes == 0);
}

/* The value is taken before the array moves, arguments are evaluated once,
 * loops can be left, and uses nest. */
static void
check_language(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  ints arrays[2];
  ints *a = arrays;
  tn_array_init(&arrays[0], &memory.provider);
  tn_array_init(&arrays[1], &memory.provider);
  tn_array_push(a++, 1);
  TEST(a == &arrays[1]);
  a = arrays;
  for (int i = 0; i < 200; i++)
    tn_array_push(a, *tn_array_at(a, tn_array_count(a) - 1) + 1);
  for (size_t i = 0; i <= 200; i++)
    TEST(*tn_array_at(a, i) == (int)i + 1);
  *tn_array_at(a, (size_t)*tn_array_at(a, 0)) = 77;
  TEST(*tn_array_at(&arrays[0], 1) == 77);

  tn_array_fini(&arrays[0]);
  tn_array_fini(&arrays[1]);
}

/* break and continue do in TN_ARRAY_EACH what they do in a for. */
static void
check_each(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  segments_of_int a;
  tn_array_init(&a, &memory.provider);
  TN_ARRAY_EACH (each, &a)
    TEST(each == NULL);
  for (int i = 0; i < 200; i++)
    tn_array_push(&a, i);
  int sum = 0;
  TN_ARRAY_EACH (each, &a) {
    if (*each % 2)
      continue;
    if (*each > 100)
      break;
    sum += *each;
  }
  TEST(sum == 2550);
  tn_array_fini(&a);
}

int
main(void)
{
  check_model_of_array();
  check_model_of_segments();
  check_out_of_memory_of_array();
  check_out_of_memory_of_segments();
  check_still();
  check_feedback();
  check_resizes();
  check_in_place();
  check_sizes();
  check_language();
  check_each();
  return test_done();
}
