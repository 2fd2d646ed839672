/* include.c -- a text with the files that it includes, one closed scope a file
 *
 *     include FILE...
 *
 * A line "include FILE" stands for that file's lines.  An error deep inside (no
 * such file, one that includes itself) leaves by longjmp: the scope closes all
 * that was open, once, and the next FILE begins with nothing left behind.
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <tenure/scope.h>
#include <tenure/source.h>

enum { DEEPEST = 32 };

static tn_scope scope;
static jmp_buf failed;

TN_CLEANUP(close_file, fclose, FILE *)

/* The record is had first: what is open is always registered. */
static FILE *
open_file(const char *path)
{
  FILE *const file =
      tn_scope_reserve(&scope, 1) == TN_OK ? fopen(path, "r") : NULL;
  if (file == NULL || tn_scope_defer(&scope, close_file, file) == NULL)
    longjmp(failed, 1);
  return file;
}

static void
expand(const char *path, int depth)
{
  char line[1024], inner[sizeof line];
  if (depth == DEEPEST)
    longjmp(failed, 1);
  TN_WITH_CLEANUPS(&scope)
  {
    FILE *const file = open_file(path);
    while (fgets(line, sizeof line, file) != NULL)
      if (sscanf(line, "include %1023s", inner) == 1)
        expand(inner, depth + 1);
      else
        fputs(line, stdout);
  }
}

int
main(int argc, char **argv)
{
  static _Alignas(16) char records[4096];
  tn_fixed memory;
  tn_fixed_init(&memory, records, sizeof records);
  tn_scope_init(&scope, &memory.provider);
  volatile int failures = 0;
  for (volatile int i = 1; i < argc; i++) {
    const tn_scope_mark mark = tn_scope_enter(&scope);
    if (setjmp(failed) == 0)
      expand(argv[i], 0);
    else
      failures += fprintf(stderr, "%s: cannot be expanded\n", argv[i]) > 0;
    tn_scope_unwind(&scope, mark);
  }
  tn_scope_fini(&scope);
  return failures;
}
