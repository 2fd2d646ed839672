/* test_suppress.c -- files of patterns: what is one, what it fits
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <unistd.h>

#include "test.h"
#include "trace/suppress.h"

static char path[64];

static tni_suppress *
open_patterns(const char *text, size_t size, const char *wanted)
{
  char problem[256] = "", line[400] = "";
  FILE *const f = fopen(path, "wb");
  fwrite(text, 1, size, f);
  fclose(f);
  tni_suppress *s = NULL;
  const tn_status status = tni_suppress_open(&s, path, problem, sizeof problem);
  TEST((status == TN_OK) == (wanted == NULL) &&
       (s != NULL) == (status == TN_OK));
  if (wanted != NULL)
    snprintf(line, sizeof line, "%s%s", path, wanted);
  TEST_TEXT(problem, line);
  return s;
}

static void
refuse(const char *text, const char *wanted)
{
  tni_suppress_close(open_patterns(text, strlen(text), wanted));
}

static bool
fits(const tni_suppress *s, const char *function, const char *file,
     const char *module)
{
  tni_symbol_frame frames[] = {{.function = "inlined", .file = "x/in.h"},
                               {.function = function, .file = file}};
  const tni_place place = {.frames = frames, .count = 2};
  return tni_suppress_fits(s, &place, module);
}

static void
test_fits(void)
{
  static const char text[] = "# a comment\n\n  make_* \r\nlibknown.so*\n"
                             "*/vendor/*\nlist.[ch]\n\t# more\nlast::name()";
  tni_suppress *const s = open_patterns(text, sizeof text - 1, NULL);
  if (s == NULL)
    return;
  TEST(fits(s, "make_it", NULL, NULL));
  TEST(fits(s, "x", NULL, "/usr/lib/libknown.so.6"));
  TEST(fits(s, "x", "/src/vendor/y/a.c", "/bin/x"));
  TEST(fits(s, "x", "src/list.h", "/bin/x"));
  TEST(fits(s, "last::name()", NULL, NULL));
  TEST(!fits(s, "remake_it", "src/list.cc", "/bin/libknown"));
  TEST(!fits(s, "x", "vendor.c", "a comment"));
  TEST(!fits(s, NULL, NULL, NULL));
  tni_suppress_close(s);
  tni_suppress *const none = open_patterns("", 0, NULL);
  TEST(none != NULL && !fits(none, "", "", ""));
  tni_suppress_close(none);
}

static void
test_refused(void)
{
  refuse("a\n#\n{\n", ":3: a brace: one pattern a line is wanted, not "
                      "valgrind's form");
  refuse("a[b\n", ":1: a [ without its ]");
  refuse("ok\nx\\", ":2: nothing after the \\");
  refuse("ok\nx\001y\n", ":2: a control character in a pattern");
  tni_suppress_close(open_patterns("a\0b\n", 4,
                                   ":1: a control character in a "
                                   "pattern"));
  char *const text = calloc(1, 700);
  memset(text, 'x', 513);
  refuse(text, ":1: longer than 512 bytes");
  text[512] = '\0';
  tni_suppress_close(open_patterns(text, 512, NULL));
  free(text);
  char problem[256];
  tni_suppress *s = NULL;
  TEST(tni_suppress_open(&s, "/nowhere/x", problem, sizeof problem) ==
       TN_ENOENT);
  TEST_TEXT(problem, "/nowhere/x: No such file or directory");
  TEST(tni_suppress_open(&s, "/tmp", problem, sizeof problem) == TN_EIO);
}

int
main(void)
{
  snprintf(path, sizeof path, "/tmp/test_suppress.%d", (int)getpid());
  test_fits();
  test_refused();
  unlink(path);
  return test_done();
}
