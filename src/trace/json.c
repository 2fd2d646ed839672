/* json.c -- writing JSON; see json.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/json.h"

tni_json
tni_json_to(FILE *to)
{
  return (tni_json){to, false};
}

int
tni_json_sequence(const unsigned char *p)
{
  const int length = p[0] < 0x80                   ? 1
                     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                     : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                     : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                   : 0;
  for (int i = 1; i < length; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  return length;
}

static void
json_quote(FILE *to, const char *text)
{
  fputc('"', to);
  for (const unsigned char *p = (const unsigned char *)text; *p;) {
    const int length = tni_json_sequence(p);
    if (length == 0)
      fputs("\\ufffd", to);
    else if (*p == '"' || *p == '\\')
      fprintf(to, "\\%c", *p);
    else if (*p < ' ' || *p == '<' || *p == 0x7f)
      fprintf(to, "\\u%04x", *p);
    else
      fwrite(p, 1, (size_t)length, to);
    p += length ? length : 1;
  }
  fputc('"', to);
}

static void
json_key(tni_json *j, const char *key)
{
  if (j->needs_comma)
    fputc(',', j->to);
  j->needs_comma = true;
  if (key) {
    json_quote(j->to, key);
    fputc(':', j->to);
  }
}

void
tni_json_open(tni_json *j, const char *key, char bracket)
{
  json_key(j, key);
  fputc(bracket, j->to);
  j->needs_comma = false;
}

void
tni_json_close(tni_json *j, char bracket)
{
  fputc(bracket, j->to);
  j->needs_comma = true;
}

void
tni_json_number(tni_json *j, const char *key, uint64_t value)
{
  json_key(j, key);
  fprintf(j->to, "%llu", (unsigned long long)value);
}

void
tni_json_real(tni_json *j, const char *key, double value)
{
  json_key(j, key);
  fprintf(j->to, "%.6g", value);
}

void
tni_json_bool(tni_json *j, const char *key, bool value)
{
  json_key(j, key);
  fputs(value ? "true" : "false", j->to);
}

void
tni_json_null(tni_json *j, const char *key)
{
  json_key(j, key);
  fputs("null", j->to);
}

void
tni_json_text(tni_json *j, const char *key, const char *value)
{
  json_key(j, key);
  if (value)
    json_quote(j->to, value);
  else
    fputs("null", j->to);
}
