/* test_text.c -- texts in an arena: copied, formatted, cut off by a chunk's end
 *
 * Covers  [arena.same] [arena.zero] for tn_arena_text and tn_arena_printf
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <tenure/arena.h>

#include "backings.h"
#include "test.h"

static void
test_text(const tn_arena_options *options)
{
  tn_arena a;
  TEST(tn_arena_create(&a, options) == TN_OK);
  char *const empty = tn_arena_text(&a, "");
  char *const part = tn_arena_text_part(&a, "tenure of office", 6);
  char *const number = tn_arena_printf(&a, "%d-%s", 42, "x");
  char *const copy = tn_arena_copy(&a, "abc", 2);
  (void)tn_arena_copy(&a, NULL, 0);
  TEST_TEXT(empty, "");
  TEST_TEXT(part, "tenure");
  TEST_TEXT(number, "42-x");
  TEST(memcmp(copy, "ab", 2) == 0);
  char *list[300];
  for (int i = 0; i < 300; i++)
    list[i] = tn_arena_printf(&a, "%0*d", i * 3 + 1, i);
  for (int i = 0; i < 300; i++) {
    TEST(strlen(list[i]) == (size_t)i * 3 + 1 && atoi(list[i]) == i);
    if (i > 0)
      TEST(list[i] != list[i - 1]);
  }
  const tn_arena_mark mark = tn_arena_get_mark(&a);
  TEST(tn_arena_printf(&a, "%lc", (wint_t)0x7fffffff) == NULL);
  TEST(tn_arena_get_mark(&a).gone == mark.gone);
  if (a.zero) {
    const unsigned char *const z = tn_arena_push(&a, 64);
    for (int i = 0; i < 64; i++)
      TEST(z[i] == 0);
  }
  tn_arena_destroy(&a);
}

/* Each conversion that plain.c knows, and some that it leaves to libc, says
 * what snprintf says. */
#define SAYS(a, ...)                                                           \
  do {                                                                         \
    char expected[200];                                                        \
    TEST(snprintf(expected, sizeof expected, __VA_ARGS__) < 200);              \
    TEST_TEXT(tn_arena_printf(a, __VA_ARGS__), expected);                      \
  } while (0)

static char *
format_by_list(tn_arena *a, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  char *const text = tn_arena_vprintf(a, format, args);
  va_end(args);
  return text;
}

static void
test_formats(const tn_arena_options *options)
{
  static const uint64_t edges[] = {
      0,         1,          9,          10,        99,         100,
      INT32_MAX, UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
  tn_arena a;
  TEST(tn_arena_create(&a, options) == TN_OK);
  uint64_t random = test_seed();
  const char *volatile none = NULL;  // the compiler would warn
  for (unsigned i = 0; i < 2000; i++) {
    const uint64_t n =
        i < 12 ? edges[i] : test_random(&random) >> test_random(&random) % 64;
    const int d = (int)(uint32_t)n;
    const unsigned u = (unsigned)n;
    const long l = (long)n;
    const unsigned long long ll = n;
    SAYS(&a, "%d", d);
    SAYS(&a, "<%i|%u|%x>", d, u, u);
    SAYS(&a, "%ld%lu%lx", l, (unsigned long)n, (unsigned long)n);
    SAYS(&a, "%lld-%llu-%llx %zu", (long long)ll, ll, ll, (size_t)n);
    SAYS(&a, "%c%%%s", (int)(n % 95) + 32, "a text of more than twenty bytes");
    SAYS(&a, "%s%d%5d%s", "x", d, d, "y");  // begins plain
    SAYS(&a, "%hd %hhu %#x %+d %.3s", (short)d, (unsigned char)u, u, d,
         "abcde");
    SAYS(&a, "%d %d %d %d %d %d %d %s", d, 2, 3, 4, 5, 6, 7, "eighth");
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%d %s %d %05d", d, "s", 7, d);
    TEST_TEXT(format_by_list(&a, "%d %s %d %05d", d, "s", 7, d), expected);
    TEST_TEXT(format_by_list(&a, "%s", "plain"), "plain");
  }
  TEST_TEXT(tn_arena_printf(&a, "%s", none), "(null)");
  SAYS(&a, "nothing to convert%s", "");
  TEST_TEXT(tn_arena_printf(&a, "%.0s", "x"), "");
  tn_arena_destroy(&a);
}

/* [arena.same] [arena.zero]: a text of any length, at any distance from the end
 * of its chunk, is whole, and what is left is zero still. */
static void
test_text_at_end(tn_provider *provider)
{
  for (int length = 0; length < 200; length++) {
    _Alignas(TN_ALIGN) unsigned char buffer[160] = {0};
    tn_arena a;
    const tn_arena_options options = {.buffer = buffer,
                                      .buffer_size = sizeof buffer,
                                      .zero = true,
                                      .provider = provider};
    TEST(tn_arena_create(&a, &options) == TN_OK);
    char text[201], expected[256];
    memset(text, 'x', sizeof text);
    text[length] = '\0';
    (void)snprintf(expected, sizeof expected, "%d:%s", length, text);
    TEST_TEXT(tn_arena_printf(&a, "%d:%s", length, text), expected);
    const unsigned char *const next = tn_arena_push(&a, 64);
    for (int i = 0; i < 64; i++)
      TEST(next[i] == 0);
    tn_arena_destroy(&a);
  }
}

/* An empty text in no room at all: its NUL goes to a chunk of its own. */
static void
test_no_room(tn_provider *provider)
{
  _Alignas(TN_ALIGN) unsigned char buffer[512];
  const char *volatile empty = "";
  tn_arena a;
  const tn_arena_options options = {
      .buffer = buffer, .buffer_size = sizeof buffer, .provider = provider};
  memset(buffer, 0x5a, sizeof buffer);
  TEST(tn_arena_create(&a, &options) == TN_OK);
  /* A debug build takes more than it is asked for: there room may never be 0. */
  while (TN_DEBUG == 0 && ~a.gone > 0)
    memset(tn_arena_push(&a, TN_ALIGN), 0x5a, TN_ALIGN);
  const size_t chunks = tn_arena_get_stats(&a).chunks;
  TEST_TEXT(format_by_list(&a, empty), "");
  TEST(tn_arena_get_stats(&a).chunks == chunks + (TN_DEBUG == 0));
  for (size_t i = sizeof buffer - TN_ALIGN; i < sizeof buffer; i++)
    TEST(TN_DEBUG >= 1 || buffer[i] == 0x5a);
  tn_arena_destroy(&a);
}

int
main(void)
{
  malloc_provider memory;
  tn_arena_options backings[BACKINGS];
  backings_init(backings, &memory);
  for (size_t i = 0; i < BACKINGS; i++)
    test_text(&backings[i]);
  test_formats(&backings[0]);
  test_formats(&backings[4]);
  test_text_at_end(&memory.provider);
  test_no_room(&memory.provider);
  TEST(memory.live_bytes == 0 && memory.wrong_sizes == 0);
  return test_done();
}
