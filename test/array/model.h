/* model.h -- the tests that hold for both forms, for the type ITEM_ARRAY
 *
 * Included once a form, with ITEM_ARRAY and NAMED(function) defined.
 * SPDX-License-Identifier: MIT
 */

/* [array.order]: iteration, index and count agree with the model. */
static void
NAMED(check_equal)(const ITEM_ARRAY *a, size_t count)
{
  size_t seen = 0;
  bool same = tn_array_count(a) == count;
  TN_ARRAY_EACH (each, a) {
    same = same && seen < count && each->value == model[seen] &&
           each == tn_array_at(a, seen);
    seen++;
  }
  TEST(same && seen == count);
}

/* One random step; returns the new count. */
static size_t
NAMED(step)(ITEM_ARRAY *a, size_t count, uint64_t r, unsigned grow_weight)
{
  if (r % 1024 == 0) {
    tn_array_clear(a);
    return 0;
  }
  if (r % 1024 < 4) {
    (void)tn_array_reserve(a, (r >> 20) % MODEL_MAX);
    return count;
  }
  if (r % 16 < grow_weight && count < MODEL_MAX) {
    const item *const p = tn_array_try_push(a, (item){.value = r});
    if (p == NULL)
      return count;
    model[count] = r;
    TEST(p->value == r && p == tn_array_at(a, count));
    return count + 1;
  }
  if (count > 0)
    TEST(tn_array_pop(a).value == model[--count]);
  return count;
}

/* Random pushes, pops, reserves and clears, with memory that runs out now and
 * then. */
static void
NAMED(check_model)(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  memory.extra = 40;
  ITEM_ARRAY a;
  tn_array_init(&a, &memory.provider);
  uint64_t random = test_seed();
  size_t count = 0;
  for (unsigned i = 0; i < 40000; i++) {
    const uint64_t r = test_random(&random);
    memory.budget = (r >> 40) % 8 == 0 ? (r >> 50) % 2 : SIZE_MAX;
    count = NAMED(step)(&a, count, r, 11 - (i >> 12));
    if (i % 97 == 0)
      NAMED(check_equal)(&a, count);
  }
  NAMED(check_equal)(&a, count);
  tn_array_fini(&a);
  TEST(tn_array_count(&a) == 0 && a.base.first == NULL);
  TEST(memory.live_bytes == 0 && memory.wrong_sizes == 0);
  TEST(memory.allocations == memory.frees);
}

/* [array.same]: growth fails at each of its allocations in turn. */
static void
NAMED(check_out_of_memory)(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  ITEM_ARRAY a;
  tn_array_init(&a, &memory.provider);
  for (size_t i = 0; i < 1000; i++) {
    const size_t bytes = memory.live_bytes;
    size_t failures = 0;
    for (;; failures++) {
      memory.budget = failures;
      const tn_array_base before = a.base;
      if (tn_array_reserve(&a, 3 * i + 100))
        break;
      /* At most a larger table of pieces stays. */
      TEST(memory.live_bytes - bytes <= (i > 0 ? 64 * sizeof(void *) : 0));
      TEST(memcmp(&before, &a.base, sizeof before) == 0);
      NAMED(check_equal)(&a, i);
    }
    TEST(failures > 0 || memory.live_bytes == bytes);
    TEST(tn_array_try_push(&a, (item){.value = i}) != NULL);
    model[i] = i;
  }
  tn_array_fini(&a);
  memory.budget = 0;
  TEST(tn_array_try_push(&a, (item){.value = 1}) == NULL);
  TEST(tn_array_count(&a) == 0 && memory.live_bytes == 0);
}
