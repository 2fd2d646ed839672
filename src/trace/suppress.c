/* suppress.c -- leaks that nobody wants to hear of; see suppress.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/suppress.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/store.h"

enum { SUPPRESS_LINE = 512 };

struct tni_suppress {
  char **patterns;
  size_t count, room;
};

/* ---- Reading --------------------------------------------------------------- */

/* What is wrong with a pattern; NULL: nothing. */
static const char *
suppress_fault(const char *p)
{
  if (strcmp(p, "{") == 0 || strcmp(p, "}") == 0)
    return "a brace: one pattern a line is wanted, not valgrind's form";
  for (; *p != '\0'; p++) {
    if ((unsigned char)*p < ' ' || *p == 0x7f)
      return "a control character in a pattern";
    if (*p == '\\' && *++p == '\0')
      return "nothing after the \\";
    if (*p == '[') {
      const char *const end = p[1] ? strchr(p + 2, ']') : NULL;
      if (end == NULL)
        return "a [ without its ]";
      p = end;
    }
  }
  return NULL;
}

/* Without the spaces around it. */
static char *
suppress_trim(char *line, size_t *length)
{
  while (*length != 0 && strchr(" \t\r\n", line[*length - 1]))
    line[--*length] = '\0';
  while (*line == ' ' || *line == '\t') {
    line++;
    --*length;
  }
  return line;
}

static const char *
suppress_add(tni_suppress *s, char *line, size_t length)
{
  const size_t got = length;
  if (memchr(line, '\0', got) != NULL)
    return "a control character in a pattern";
  const char *const pattern = suppress_trim(line, &length);
  if (length == 0 || *pattern == '#')
    return NULL;
  if (length > SUPPRESS_LINE)
    return "longer than 512 bytes";
  const char *const fault = suppress_fault(pattern);
  if (fault != NULL)
    return fault;
  s->patterns =
      tni_store_grow(s->patterns, &s->room, s->count + 1, sizeof *s->patterns);
  char *const copy = tni_store_get(length + 1, 1);
  memcpy(copy, pattern, length);
  s->patterns[s->count++] = copy;
  return NULL;
}

static tn_status
suppress_read(tni_suppress *s, FILE *from, const char *path, char *problem,
              size_t size)
{
  char *line = NULL;
  const char *fault = NULL;
  size_t room = 0, number = 0;
  ssize_t length;
  while (fault == NULL && (length = getline(&line, &room, from)) > 0) {
    number++;
    fault = suppress_add(s, line, (size_t)length);
  }
  free(line);
  if (fault != NULL)
    (void)snprintf(problem, size, "%s:%zu: %s", path, number, fault);
  else if (ferror(from))
    (void)snprintf(problem, size, "%s: %s", path, strerror(errno));
  if (fault != NULL)
    return TN_EINVAL;
  return ferror(from) ? TN_EIO : TN_OK;
}

tn_status
tni_suppress_open(tni_suppress **out, const char *path, char *problem,
                  size_t size)
{
  FILE *const from = fopen(path, "re");
  if (from == NULL) {
    const int error = errno;
    (void)snprintf(problem, size, "%s: %s", path, strerror(error));
    return error == ENOENT ? TN_ENOENT : error == EACCES ? TN_EACCES : TN_EIO;
  }
  tni_suppress *const s = tni_store_get(1, sizeof *s);
  const tn_status status = suppress_read(s, from, path, problem, size);
  (void)fclose(from);
  if (status != TN_OK)
    tni_suppress_close(s);
  else
    *out = s;
  return status;
}

void
tni_suppress_close(tni_suppress *s)
{
  for (size_t i = 0; s != NULL && i < s->count; i++)
    free(s->patterns[i]);
  if (s != NULL)
    free(s->patterns);
  free(s);
}

/* ---- Fitting --------------------------------------------------------------- */

static bool
suppress_fits_text(const tni_suppress *s, const char *text)
{
  if (text == NULL)
    return false;
  for (size_t i = 0; i < s->count; i++)
    if (fnmatch(s->patterns[i], text, 0) == 0 ||
        fnmatch(s->patterns[i], tni_symbols_base(text), 0) == 0)
      return true;
  return false;
}

bool
tni_suppress_fits(const tni_suppress *s, const tni_place *place,
                  const char *module)
{
  if (suppress_fits_text(s, module) || suppress_fits_text(s, place->symbol))
    return true;
  for (uint32_t i = 0; i < place->count; i++)
    if (suppress_fits_text(s, place->frames[i].function) ||
        suppress_fits_text(s, place->frames[i].file))
      return true;
  return false;
}
