/* test_format.c -- text without libc.   Covers src/base/format.h */
#include <string.h>

#include "base/base.h"
#include "test.h"

int
main(void)
{
  char text[64];
  TEST(tni_format(text, sizeof text, "%s %d %u %zu %x %zx %c %%", "a", -7, 8u,
                  (size_t)9, 255u, (size_t)4096, 'z') == strlen(text));
  TEST_TEXT(text, "a -7 8 9 ff 1000 z %");
  tni_format(text, sizeof text, "%d %zu", INT_MIN, SIZE_MAX);
  TEST_TEXT(text, "-2147483648 18446744073709551615");
  tni_format(text, sizeof text, "%p %s", (void *)text, (const char *)NULL);
  TEST(strncmp(text, "0x", 2) == 0 && strstr(text, " (null)"));

  char small[4];
  TEST(tni_format(small, sizeof small, "%s", "abcdef") == 3);
  TEST_TEXT(small, "abc");
  TEST(tni_format(small, 1, "%s", "abcdef") == 0 && small[0] == '\0');
  return test_done();
}
