/* cmd.c -- dispatch, options, errors; see cmd.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Errors and memory --------------------------------------------------- */

int
cmd_fail(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  fputs("tenure: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return CMD_FAILED;
}

static void *
cmd_require(void *p)
{
  if (p == NULL)
    exit(cmd_fail("out of memory"));
  return p;
}

void *
cmd_allocate(size_t count, size_t size)
{
  return cmd_require(calloc(count ? count : 1, size));
}

void *
cmd_reallocate(void *p, size_t count, size_t size)
{
  size_t bytes;
  return cmd_require(tn_size_mul(count, size, &bytes) ? realloc(p, bytes)
                                                      : NULL);
}

static tn_block
cmd_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  (void)provider;
  void *block = NULL;
  if (posix_memalign(&block, align < TN_ALIGN ? TN_ALIGN : align, size) != 0)
    block = NULL;
  return (tn_block){block, size, false};
}

static void
cmd_provider_free(tn_provider *provider, void *pointer, size_t size,
                  size_t align)
{
  (void)provider, (void)size, (void)align;
  free(pointer);
}

static size_t
cmd_provider_resize(tn_provider *provider, void *pointer, size_t size,
                    size_t new_size, size_t align)
{
  (void)provider, (void)pointer, (void)align;
  return new_size <= size ? size : 0;
}

tn_provider *
cmd_get_provider(void)
{
  static tn_provider provider = {
      cmd_provider_allocate, cmd_provider_free, cmd_provider_resize,
      TN_PROVIDER_FREE | TN_PROVIDER_THREADS, "malloc"};
  return &provider;
}

uint64_t
cmd_clock_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- Files --------------------------------------------------------------- */

static char *
cmd_read_stream(FILE *from, size_t *size)
{
  size_t room = 1 << 16;
  char *text = cmd_allocate(room, 1);
  *size = 0;
  for (;;) {
    *size += fread(text + *size, 1, room - 1 - *size, from);
    if (*size < room - 1)
      break;
    room *= 2;
    text = cmd_reallocate(text, room, 1);
  }
  text[*size] = '\0';
  return text;
}

char *
cmd_read_file(const char *path, size_t *size)
{
  const bool is_stdin = strcmp(path, "-") == 0;
  FILE *const from = is_stdin ? stdin : fopen(path, "rb");
  if (from == NULL) {
    cmd_fail("cannot read %s: %s", path, strerror(errno));
    return NULL;
  }
  errno = 0;
  char *text = cmd_read_stream(from, size);
  if (ferror(from)) {
    cmd_fail("cannot read %s: %s", path, strerror(errno));
    free(text);
    text = NULL;
  }
  if (!is_stdin)
    fclose(from);
  return text;
}

void
cmd_write_json_text(FILE *to, const char *text)
{
  fputc('"', to);
  for (const char *p = text; *p; p++) {
    const unsigned char c = (unsigned char)*p;
    if (c == '"' || c == '\\')
      fprintf(to, "\\%c", c);
    else if (c < 0x20)
      fprintf(to, "\\u%04x", c);
    else
      fputc(c, to);
  }
  fputc('"', to);
}

/* ---- Names --------------------------------------------------------------- */

enum { CMD_MAX_WORD = 32 };

/* Edit distance (Levenshtein) of two words of at most CMD_MAX_WORD bytes. */
static size_t
cmd_distance(const char *a, const char *b)
{
  size_t row[CMD_MAX_WORD + 1];
  const size_t length = strlen(b);
  for (size_t j = 0; j <= length; j++)
    row[j] = j;
  for (size_t i = 0; a[i]; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < length; j++) {
      const size_t change = diagonal + (a[i] != b[j]);
      const size_t gap = 1 + (row[j] < row[j + 1] ? row[j] : row[j + 1]);
      diagonal = row[j + 1];
      row[j + 1] = change < gap ? change : gap;
    }
  }
  return row[length];
}

const char *
cmd_nearest(const char *word, const char *const *names, size_t count)
{
  const size_t length = strlen(word);
  if (length > CMD_MAX_WORD)
    return NULL;
  size_t best = (length + 2) / 3 + 1;
  const char *nearest = NULL;
  for (size_t i = 0; i < count; i++) {
    const size_t distance = cmd_distance(word, names[i]);
    if (distance < best) {
      best = distance;
      nearest = names[i];
    }
  }
  return nearest;
}

static int
cmd_unknown(const char *command, const char *what, const char *word,
            const char *const *names, size_t count)
{
  const char *const nearest = cmd_nearest(word, names, count);
  if (nearest)
    return cmd_fail("unknown %s '%s'; did you mean '%s'? (%s --help lists all)",
                    what, word, nearest, command);
  return cmd_fail("unknown %s '%s' (%s --help lists all)", what, word, command);
}

/* ---- Dispatch ------------------------------------------------------------ */

static void
cmd_list(FILE *to, const char *command, const cmd_entry *entries, size_t count)
{
  fprintf(to, "usage: %s COMMAND [ARGUMENTS]\n\n", command);
  for (size_t i = 0; i < count; i++)
    fprintf(to, "  %-10s %s\n", entries[i].name, entries[i].summary);
  fprintf(to, "\n%s COMMAND --help says more.\n", command);
}

int
cmd_dispatch(const char *command, const cmd_entry *entries, size_t count,
             int argc, char **argv)
{
  if (argc == 0) {
    cmd_list(stderr, command, entries, count);
    return CMD_FAILED;
  }
  if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
      strcmp(argv[0], "help") == 0) {
    cmd_list(stdout, command, entries, count);
    return CMD_OK;
  }
  const char *names[CMD_MAX_WORD];
  for (size_t i = 0; i < count; i++) {
    names[i] = entries[i].name;
    if (strcmp(argv[0], names[i]) == 0)
      return entries[i].run(argc - 1, argv + 1);
  }
  return cmd_unknown(command, argv[0][0] == '-' ? "option" : "command", argv[0],
                     names, count);
}

/* ---- Options ------------------------------------------------------------- */

/* The number that text starts with; NULL when there is none or it is above
 * max.  No sign, no space. */
static const char *
cmd_parse_digits(const char *text, uint64_t max, uint64_t *value)
{
  if (*text < '0' || *text > '9')
    return NULL;
  *value = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    const unsigned digit = (unsigned)(*text - '0');
    if (*value > (max - digit) / 10)
      return NULL;
    *value = *value * 10 + digit;
  }
  return text;
}

typedef struct cmd_unit {
  const char *name;
  uint64_t factor;
} cmd_unit;

/* A number and one of the units, together at most max. */
static bool
cmd_parse_scaled(const char *text, const cmd_unit *units, uint64_t max,
                 uint64_t *value)
{
  const char *const rest = cmd_parse_digits(text, max, value);
  if (rest == NULL)
    return false;
  for (; units->name; units++)
    if (strcmp(rest, units->name) == 0) {
      if (*value > max / units->factor)
        return false;
      *value *= units->factor;
      return true;
    }
  return false;
}

bool
cmd_parse_bytes(const char *text, int64_t *bytes)
{
  static const cmd_unit units[] = {
      {"", 1},          {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
      {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0}};
  uint64_t value;
  if (!cmd_parse_scaled(text, units, (uint64_t)1 << 62, &value))
    return false;
  *bytes = (int64_t)value;
  return true;
}

static bool
cmd_parse_duration(const char *text, uint64_t *ns)
{
  static const cmd_unit units[] = {{"", 1000000000},
                                   {"s", 1000000000},
                                   {"ms", 1000000},
                                   {"m", 60000000000},
                                   {NULL, 0}};
  return cmd_parse_scaled(text, units, UINT64_MAX / 4, ns);
}

static bool
cmd_parse_value(const cmd_option *option, const char *text)
{
  switch (option->kind) {
  case CMD_FLAG: break;
  case CMD_TEXT: *(const char **)option->to = text; return true;
  case CMD_TEXTS: {
    cmd_texts *const texts = option->to;
    if (texts->count == sizeof texts->items / sizeof *texts->items)
      return false;
    texts->items[texts->count++] = text;
    return true;
  }
  case CMD_BYTES: return cmd_parse_bytes(text, option->to);
  case CMD_COUNT: {
    const char *const rest = cmd_parse_digits(text, UINT64_MAX, option->to);
    return rest && *rest == '\0';
  }
  case CMD_DURATION: return cmd_parse_duration(text, option->to);
  }
  return false;
}

static void
cmd_help(const cmd_usage *usage)
{
  static const char *const values[] = {
      [CMD_FLAG] = "",       [CMD_TEXT] = " TEXT",   [CMD_TEXTS] = " TEXT",
      [CMD_BYTES] = " SIZE", [CMD_COUNT] = " COUNT", [CMD_DURATION] = " TIME"};
  printf("usage: %s [OPTIONS] %s\n\n%s\n\n", usage->command, usage->operand,
         usage->summary);
  for (size_t i = 0; i < usage->count; i++) {
    const cmd_option *const o = &usage->options[i];
    char name[48];
    snprintf(name, sizeof name, "%c%c%s--%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
             values[o->kind]);
    printf("  %-24s %s\n", name, o->help);
  }
}

static const cmd_option *
cmd_find_option(const cmd_usage *usage, const char *word, size_t length)
{
  for (size_t i = 0; i < usage->count; i++) {
    const cmd_option *const o = &usage->options[i];
    if (length == 2 && word[1] == o->letter)
      return o;
    if (length == strlen(o->name) + 2 && memcmp(word, "--", 2) == 0 &&
        memcmp(word + 2, o->name, length - 2) == 0)
      return o;
  }
  return NULL;
}

static int
cmd_unknown_option(const cmd_usage *usage, const char *word)
{
  char dashed[16][CMD_MAX_WORD];
  const char *names[16];
  for (size_t i = 0; i < usage->count; i++) {
    snprintf(dashed[i], sizeof dashed[i], "--%s", usage->options[i].name);
    names[i] = dashed[i];
  }
  return cmd_unknown(usage->command, "option", word, names, usage->count);
}

/* Take the option at argv[*at] (as `--name value` or `--name=value`). */
static int
cmd_take_option(const cmd_usage *usage, int argc, char **argv, int *at)
{
  const char *const word = argv[*at];
  const char *const equals = strchr(word, '=');
  const size_t length = equals ? (size_t)(equals - word) : strlen(word);
  const cmd_option *const option = cmd_find_option(usage, word, length);
  if (option == NULL)
    return cmd_unknown_option(usage, word);
  if (option->kind == CMD_FLAG) {
    if (equals)
      return cmd_fail("option --%s takes no value", option->name);
    *(bool *)option->to = true;
    return -1;
  }
  if (!equals && *at + 1 == argc)
    return cmd_fail("option --%s needs a value", option->name);
  const char *const value = equals ? equals + 1 : argv[++*at];
  if (!cmd_parse_value(option, value))
    return cmd_fail("'%s' is no value for --%s: %s", value, option->name,
                    option->help);
  return -1;
}

/* second NULL: one operand. */
static int
cmd_parse_words(const cmd_usage *usage, int argc, char **argv,
                const char **operand, const char **second)
{
  *operand = NULL;
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      cmd_help(usage);
      return CMD_OK;
    }
    if (argv[i][0] == '-' && argv[i][1] != '\0') {
      const int code = cmd_take_option(usage, argc, argv, &i);
      if (code >= 0)
        return code;
    } else if (*operand && second && *second == NULL) {
      *second = argv[i];
    } else if (*operand) {
      return cmd_fail(second ? "%s, please: '%s' is too many"
                             : "one %s, please: '%s' is too many",
                      usage->operand, argv[i]);
    } else {
      *operand = argv[i];
    }
  }
  if (*operand == NULL)
    return cmd_fail("which %s? (%s --help says more)", usage->operand,
                    usage->command);
  return -1;
}

int
cmd_parse(const cmd_usage *usage, int argc, char **argv, const char **operand)
{
  return cmd_parse_words(usage, argc, argv, operand, NULL);
}

int
cmd_parse_two(const cmd_usage *usage, int argc, char **argv,
              const char **operand, const char **second)
{
  *second = NULL;
  return cmd_parse_words(usage, argc, argv, operand, second);
}
