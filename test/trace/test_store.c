/* test_store.c -- the hash table against a plain array, and kept texts
 *
 * Covers  [store.map]
 * SPDX-License-Identifier: MIT
 */
#include "test.h"
#include "trace/store.h"

enum { KEYS = 300, STEPS = 100000 };

/* Keys that collide: few bits differ, and many have the same home. */
static void
test_map(uint64_t seed)
{
  tni_map map = {0};
  static uint32_t value[KEYS];
  static bool is_in[KEYS];
  size_t count = 0;
  for (uint32_t step = 1; step <= STEPS; step++) {
    const uint64_t key = test_random(&seed) % KEYS;
    const uint64_t a = key << 40, b = key & 3;
    uint32_t *const at = tni_map_find(&map, a, b);
    TEST((at != NULL) == is_in[key] && (!at || *at == value[key]));
    if (test_random(&seed) % 2) {
      bool is_new;
      *tni_map_enter(&map, a, b, &is_new) = value[key] = step;
      TEST(is_new != is_in[key]);
      count += is_new;
      is_in[key] = true;
    } else {
      TEST(tni_map_remove(&map, a, b) == is_in[key]);
      count -= is_in[key];
      is_in[key] = false;
    }
    TEST(map.count == count);
  }
  TEST(map.capacity <= 512);
  tni_map_fini(&map);
  TEST(tni_map_find(&map, 1, 2) == NULL && !tni_map_remove(&map, 1, 2));
}

static void
test_texts(void)
{
  tni_texts texts = {0};
  const char *first[1000];
  char text[32];
  for (int i = 0; i < 1000; i++) {
    snprintf(text, sizeof text, "text %d", i);
    first[i] = tni_texts_keep(&texts, text);
  }
  for (int i = 0; i < 1000; i++) {
    snprintf(text, sizeof text, "text %d", i);
    TEST(tni_texts_keep(&texts, text) == first[i]);
    TEST_TEXT(first[i], text);
  }
  static char large[100000];
  memset(large, 'x', sizeof large - 1);
  TEST(strlen(tni_texts_keep(&texts, large)) == sizeof large - 1);
  tni_texts_fini(&texts);
}

int
main(void)
{
  test_map(test_seed());
  test_texts();
  return test_done();
}
