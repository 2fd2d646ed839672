/* plan_csv.c -- reading and writing tables of buffers; see plan.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* Everything that reading needs besides the table. */
typedef struct csv_reader {
  cmd_table *table;
  cmd_complaint *complaint;
  size_t line;
  bool end_is_inclusive;
  size_t row_room, gap_room, share_room;
  char *word;        // where the next id or type goes
  cmd_span *fields;  // of the line being read
  cmd_span *shares;  // of each row: the ids it may share with
} csv_reader;

static TN_PRINTF(2, 3) bool csv_complain(csv_reader *r, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(r->complaint->text, sizeof r->complaint->text, format, args);
  va_end(args);
  r->complaint->line = r->line;
  return false;
}

/* ---- Lines and fields ---------------------------------------------------- */

static bool
csv_is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

static cmd_span
csv_trim(cmd_span s)
{
  while (s.length && csv_is_blank(s.text[0]))
    s.text++, s.length--;
  while (s.length && csv_is_blank(s.text[s.length - 1]))
    s.length--;
  return s;
}

static size_t
csv_count(cmd_span s, char c)
{
  size_t count = 0;
  for (size_t i = 0; i < s.length; i++)
    count += s.text[i] == c;
  return count;
}

/* Cut the first line, without its end, off rest. */
static cmd_span
csv_next_line(cmd_span *rest)
{
  const char *const end = memchr(rest->text, '\n', rest->length);
  cmd_span line = {rest->text, end ? (size_t)(end - rest->text) : rest->length};
  const size_t used = line.length + (end != NULL);
  rest->text += used;
  rest->length -= used;
  while (line.length && line.text[line.length - 1] == '\r')
    line.length--;
  return line;
}

/* Length of the field at the start of s: up to a comma outside quotes. */
static size_t
csv_field_length(cmd_span s)
{
  bool quoted = false;
  size_t i = 0;
  for (; i < s.length && (quoted || s.text[i] != ','); i++)
    if (s.text[i] == '"')
      quoted = !quoted;
  return i;
}

/* Cut line into at most max fields, blanks included; returns how many there
 * are. */
static size_t
csv_split(cmd_span line, cmd_span *fields, size_t max)
{
  size_t count = 0;
  for (;;) {
    const cmd_span field = {line.text, csv_field_length(line)};
    if (count < max)
      fields[count] = field;
    count++;
    if (field.length == line.length)
      return count;
    line.text += field.length + 1;
    line.length -= field.length + 1;
  }
}

/* Copy a field without its quotes to the table's words. */
static const char *
csv_keep_word(csv_reader *r, cmd_span s)
{
  const char *const word = r->word;
  const bool quoted =
      s.length >= 2 && s.text[0] == '"' && s.text[s.length - 1] == '"';
  if (quoted)
    s.text++, s.length -= 2;
  for (size_t i = 0; i < s.length; i++) {
    *r->word++ = s.text[i];
    if (quoted && s.text[i] == '"' && i + 1 < s.length && s.text[i + 1] == '"')
      i++;
  }
  *r->word++ = '\0';
  return word;
}

/* ---- Numbers ------------------------------------------------------------- */

typedef enum csv_number {
  CSV_NUMBER,
  CSV_NO_NUMBER,
  CSV_TOO_LARGE,
} csv_number;

/* Decimal digits with an optional sign, nothing else. */
static csv_number
csv_parse_number(cmd_span s, int64_t *value)
{
  const bool is_negative = s.length && s.text[0] == '-';
  const size_t start = s.length && (is_negative || s.text[0] == '+');
  bool is_large = false;
  int64_t magnitude = 0;
  for (size_t i = start; i < s.length; i++) {
    if (s.text[i] < '0' || s.text[i] > '9')
      return CSV_NO_NUMBER;
    is_large = is_large || __builtin_mul_overflow(magnitude, 10, &magnitude) ||
               __builtin_add_overflow(magnitude, s.text[i] - '0', &magnitude);
  }
  if (s.length == start)
    return CSV_NO_NUMBER;
  if (is_large || magnitude > TN_PLAN_MAX)
    return CSV_TOO_LARGE;
  *value = is_negative ? -magnitude : magnitude;
  return CSV_NUMBER;
}

/* How much of a field a message shows. */
static int
csv_shown(cmd_span s)
{
  return s.length > 40 ? 40 : (int)s.length;
}

static bool
csv_read_number(csv_reader *r, const char *what, cmd_span s, int64_t min,
                int64_t *value)
{
  switch (csv_parse_number(s, value)) {
  case CSV_NO_NUMBER:
    return csv_complain(r, "%s '%.*s' is not a whole number", what,
                        csv_shown(s), s.text);
  case CSV_TOO_LARGE:
    return csv_complain(r, "%s %.*s is beyond 2^62", what, csv_shown(s),
                        s.text);
  case CSV_NUMBER: break;
  }
  if (*value < min)
    return csv_complain(r, "%s %" PRId64 " is less than %" PRId64, what, *value,
                        min);
  return true;
}

/* ---- The header ---------------------------------------------------------- */

typedef struct csv_alias {
  const char *name;
  cmd_column column;
} csv_alias;

static const csv_alias csv_aliases[] = {
    {"id", CMD_COLUMN_ID},           {"buffer", CMD_COLUMN_ID},
    {"buffer_id", CMD_COLUMN_ID},    {"lower", CMD_COLUMN_LOWER},
    {"start", CMD_COLUMN_LOWER},     {"begin", CMD_COLUMN_LOWER},
    {"upper", CMD_COLUMN_UPPER},     {"end", CMD_COLUMN_UPPER},
    {"size", CMD_COLUMN_SIZE},       {"align", CMD_COLUMN_ALIGN},
    {"alignment", CMD_COLUMN_ALIGN}, {"offset", CMD_COLUMN_OFFSET},
    {"hint", CMD_COLUMN_HINT},       {"gaps", CMD_COLUMN_GAPS},
    {"share", CMD_COLUMN_SHARE},     {"type", CMD_COLUMN_TYPE},
    {"pool", CMD_COLUMN_POOL},
};

enum { CSV_ALIASES = sizeof csv_aliases / sizeof *csv_aliases };

static bool
csv_is_word(cmd_span s, const char *word)
{
  return strlen(word) == s.length && memcmp(s.text, word, s.length) == 0;
}

static const csv_alias *
csv_find_alias(cmd_span s)
{
  for (size_t i = 0; i < CSV_ALIASES; i++)
    if (csv_is_word(s, csv_aliases[i].name))
      return &csv_aliases[i];
  return NULL;
}

/* A column that we do not know may be a misspelt one: say so. */
static void
csv_note_unknown(csv_reader *r, cmd_span s)
{
  const char *names[CSV_ALIASES];
  for (size_t i = 0; i < CSV_ALIASES; i++)
    names[i] = csv_aliases[i].name;
  char word[48];
  snprintf(word, sizeof word, "%.*s", csv_shown(s), s.text);
  const char *const nearest = cmd_nearest(word, names, CSV_ALIASES);
  snprintf(r->table->note, sizeof r->table->note,
           "column '%s' is not known and only copied%s%s%s", word,
           nearest ? "; did you mean '" : "", nearest ? nearest : "",
           nearest ? "'?" : "");
}

static bool
csv_read_column(csv_reader *r, size_t field)
{
  const cmd_span s = csv_trim(r->fields[field]);
  const csv_alias *const alias = csv_find_alias(s);
  if (alias == NULL) {
    csv_note_unknown(r, s);
    return true;
  }
  size_t *const at = &r->table->field_of[alias->column];
  if (*at != SIZE_MAX)
    return csv_complain(r, "column '%s' is there twice (column %zu as well)",
                        alias->name, *at + 1);
  *at = field;
  if (strcmp(alias->name, "end") == 0)
    r->end_is_inclusive = true;
  return true;
}

static bool
csv_read_header(csv_reader *r, cmd_span line)
{
  static const char *const required[] = {"id", "lower", "upper", "size"};
  cmd_table *const t = r->table;
  t->header = line;
  t->field_count = csv_split(line, NULL, 0);
  r->fields = cmd_allocate(t->field_count, sizeof *r->fields);
  csv_split(line, r->fields, t->field_count);
  for (size_t i = 0; i < CMD_COLUMNS; i++)
    t->field_of[i] = SIZE_MAX;
  for (size_t i = 0; i < t->field_count; i++)
    if (!csv_read_column(r, i))
      return false;
  for (size_t i = 0; i < sizeof required / sizeof *required; i++)
    if (t->field_of[i] == SIZE_MAX)
      return csv_complain(r, "the first line must name a column '%s'",
                          required[i]);
  return true;
}

/* ---- Rows ---------------------------------------------------------------- */

/* The field of a column; empty when there is no such column. */
static cmd_span
csv_get(const csv_reader *r, cmd_column column)
{
  const size_t field = r->table->field_of[column];
  return field == SIZE_MAX ? (cmd_span){"", 0} : csv_trim(r->fields[field]);
}

static bool
csv_has(const csv_reader *r, cmd_column column)
{
  return csv_get(r, column).length != 0;
}

/* Cut the next word (between blanks) off s; empty at its end. */
static cmd_span
csv_next_word(cmd_span *s)
{
  *s = csv_trim(*s);
  cmd_span word = {s->text, 0};
  while (word.length < s->length && !csv_is_blank(s->text[word.length]))
    word.length++;
  s->text += word.length;
  s->length -= word.length;
  return word;
}

/* Split s at the first separator after its first byte (which may be a sign).
 * returns false when there is none. */
static bool
csv_cut(cmd_span s, char separator, cmd_span *before, cmd_span *after)
{
  for (size_t i = 1; i < s.length; i++)
    if (s.text[i] == separator) {
      *before = (cmd_span){s.text, i};
      *after = (cmd_span){s.text + i + 1, s.length - i - 1};
      return true;
    }
  return false;
}

static void *
csv_grow(void *items, size_t count, size_t *room, size_t size)
{
  if (count < *room)
    return items;
  *room = *room ? *room * 2 : 64;
  return cmd_reallocate(items, *room, size);
}

/* The bytes that a gap keeps: LOW:HIGH. */
static bool
csv_read_window(csv_reader *r, cmd_span window, tn_plan_gap *gap)
{
  cmd_span low, high;
  if (!csv_cut(window, ':', &low, &high))
    return csv_complain(r, "window '%.*s' is not LOW:HIGH", csv_shown(window),
                        window.text);
  if (!csv_read_number(r, "window", low, 0, &gap->low) ||
      !csv_read_number(r, "window", high, 0, &gap->high))
    return false;
  if (gap->high < gap->low)
    return csv_complain(r, "window '%.*s' ends before it begins",
                        csv_shown(window), window.text);
  const int64_t size = r->table->buffers[r->table->count].size;
  if (gap->high > size)
    return csv_complain(r, "window '%.*s' is beyond the size %" PRId64,
                        csv_shown(window), window.text, size);
  return true;
}

/* One gap: LOWER-UPPER or LOWER-UPPER@LOW:HIGH. */
static bool
csv_read_gap(csv_reader *r, cmd_span word)
{
  cmd_table *const t = r->table;
  cmd_span time = word, window = word, low, high;
  int64_t from = 0, to = 0;
  const bool windowed = csv_cut(word, '@', &time, &window);
  if (!csv_cut(time, '-', &low, &high))
    return csv_complain(r, "gap '%.*s' is not LOWER-UPPER", csv_shown(word),
                        word.text);
  if (!csv_read_number(r, "start of gap", low, -TN_PLAN_MAX, &from) ||
      !csv_read_number(r, "end of gap", high, -TN_PLAN_MAX, &to))
    return false;
  to += r->end_is_inclusive;
  if (to < from)
    return csv_complain(r, "gap '%.*s' ends before it begins", csv_shown(word),
                        word.text);
  if (to > TN_PLAN_MAX)
    return csv_complain(r, "gap '%.*s' is beyond 2^62", csv_shown(word),
                        word.text);
  t->gaps = csv_grow(t->gaps, t->gap_count, &r->gap_room, sizeof *t->gaps);
  tn_plan_gap *const gap = &t->gaps[t->gap_count++];
  *gap = (tn_plan_gap){t->count, from, to, 0, 0};
  return !windowed || csv_read_window(r, window, gap);
}

static bool
csv_read_optional(csv_reader *r, tn_plan_buffer *b)
{
  if (csv_has(r, CMD_COLUMN_ALIGN) &&
      !csv_read_number(r, "alignment", csv_get(r, CMD_COLUMN_ALIGN), 1,
                       &b->align))
    return false;
  if (csv_has(r, CMD_COLUMN_OFFSET) &&
      !csv_read_number(r, "offset", csv_get(r, CMD_COLUMN_OFFSET), TN_PLAN_FREE,
                       &b->fixed))
    return false;
  cmd_span gaps = csv_get(r, CMD_COLUMN_GAPS);
  for (cmd_span word; (word = csv_next_word(&gaps)).length;)
    if (!csv_read_gap(r, word))
      return false;
  return true;
}

static bool
csv_read_buffer(csv_reader *r, tn_plan_buffer *b)
{
  *b = (tn_plan_buffer)TN_PLAN_BUFFER(0, 0, 0);
  if (!csv_read_number(r, "size", csv_get(r, CMD_COLUMN_SIZE), 1, &b->size) ||
      !csv_read_number(r, "lower", csv_get(r, CMD_COLUMN_LOWER), -TN_PLAN_MAX,
                       &b->lower) ||
      !csv_read_number(r, r->end_is_inclusive ? "end" : "upper",
                       csv_get(r, CMD_COLUMN_UPPER), -TN_PLAN_MAX, &b->upper))
    return false;
  b->upper += r->end_is_inclusive;
  if (b->upper > TN_PLAN_MAX)
    return csv_complain(r, "end %" PRId64 " is beyond 2^62", b->upper - 1);
  if (b->upper <= b->lower)
    return csv_complain(r, "the lifetime [%" PRId64 ", %" PRId64 ") is empty",
                        b->lower, b->upper);
  return csv_read_optional(r, b);
}

/* Make room for one more row in every array that has one a row. */
static void
csv_grow_rows(csv_reader *r)
{
  cmd_table *const t = r->table;
  if (t->count < r->row_room)
    return;
  t->rows = csv_grow(t->rows, t->count, &r->row_room, sizeof *t->rows);
  const size_t room = r->row_room;
  t->buffers = cmd_reallocate(t->buffers, room, sizeof *t->buffers);
  r->shares = cmd_reallocate(r->shares, room, sizeof *r->shares);
  if (t->field_of[CMD_COLUMN_HINT] != SIZE_MAX)
    t->hints = cmd_reallocate(t->hints, room, sizeof *t->hints);
  if (t->field_of[CMD_COLUMN_POOL] != SIZE_MAX)
    t->pools = cmd_reallocate(t->pools, room, sizeof *t->pools);
}

static bool
csv_read_hint_and_pool(csv_reader *r)
{
  cmd_table *const t = r->table;
  int64_t hint = TN_PLAN_FREE, pool = 0;
  if (csv_has(r, CMD_COLUMN_HINT) &&
      !csv_read_number(r, "hint", csv_get(r, CMD_COLUMN_HINT), TN_PLAN_FREE,
                       &hint))
    return false;
  if (csv_has(r, CMD_COLUMN_POOL) &&
      !csv_read_number(r, "pool", csv_get(r, CMD_COLUMN_POOL), 0, &pool))
    return false;
  if (t->hints)
    t->hints[t->count] = hint;
  if (t->pools)
    t->pools[t->count] = pool < TN_PLAN_MAX_POOLS ? (uint32_t)pool : UINT32_MAX;
  return true;
}

static bool
csv_read_row(csv_reader *r, cmd_span line)
{
  cmd_table *const t = r->table;
  const size_t fields = csv_split(line, r->fields, t->field_count);
  if (fields != t->field_count)
    return csv_complain(r, "%zu fields, where the first line has %zu", fields,
                        t->field_count);
  if (!csv_has(r, CMD_COLUMN_ID))
    return csv_complain(r, "the id is empty");
  csv_grow_rows(r);
  cmd_row *const row = &t->rows[t->count];
  row->id = csv_keep_word(r, csv_get(r, CMD_COLUMN_ID));
  row->type = csv_has(r, CMD_COLUMN_TYPE)
                  ? csv_keep_word(r, csv_get(r, CMD_COLUMN_TYPE))
                  : NULL;
  row->line = r->line;
  row->source = line;
  r->shares[t->count] = csv_get(r, CMD_COLUMN_SHARE);
  if (!csv_read_buffer(r, &t->buffers[t->count]) || !csv_read_hint_and_pool(r))
    return false;
  t->count++;
  return true;
}

/* ---- Ids: unique, and named by shares ------------------------------------ */

/* An id and whose it is, to be sorted. */
typedef struct csv_id {
  const char *text;
  size_t row;
} csv_id;

static int
csv_compare_ids(const void *a, const void *b)
{
  const csv_id *const x = a;
  const csv_id *const y = b;
  const int order = strcmp(x->text, y->text);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int
csv_compare_text(const void *text, const void *id)
{
  return strcmp(text, ((const csv_id *)id)->text);
}

/* The ids in the column share of a row. */
static bool
csv_read_shares(csv_reader *r, const csv_id *sorted, size_t row)
{
  cmd_table *const t = r->table;
  r->line = t->rows[row].line;
  for (cmd_span word; (word = csv_next_word(&r->shares[row])).length;) {
    const char *const text = csv_keep_word(r, word);
    const csv_id *const found =
        bsearch(text, sorted, t->count, sizeof *sorted, csv_compare_text);
    if (found == NULL || found->row == row)
      return csv_complain(r, "share names '%.40s', which is no other id", text);
    t->shares =
        csv_grow(t->shares, t->share_count, &r->share_room, sizeof *t->shares);
    t->shares[t->share_count++] = (tn_plan_share){row, found->row};
  }
  return true;
}

static bool
csv_check_ids(csv_reader *r)
{
  cmd_table *const t = r->table;
  csv_id *const sorted = cmd_allocate(t->count, sizeof *sorted);
  for (size_t i = 0; i < t->count; i++)
    sorted[i] = (csv_id){t->rows[i].id, i};
  qsort(sorted, t->count, sizeof *sorted, csv_compare_ids);
  bool good = true;
  for (size_t i = 1; i < t->count && good; i++)
    if (strcmp(sorted[i - 1].text, sorted[i].text) == 0) {
      r->line = t->rows[sorted[i].row].line;
      good = csv_complain(r, "id '%.40s' is that of line %zu as well",
                          sorted[i].text, t->rows[sorted[i - 1].row].line);
    }
  for (size_t i = 0; i < t->count && good; i++)
    good = csv_read_shares(r, sorted, i);
  free(sorted);
  return good;
}

/* ---- The whole ----------------------------------------------------------- */

static bool
csv_read_lines(csv_reader *r, cmd_span rest)
{
  while (rest.length) {
    const cmd_span line = csv_next_line(&rest);
    r->line++;
    if (csv_trim(line).length == 0)
      continue;
    if (memchr(line.text, '\0', line.length))
      return csv_complain(r, "there is a NUL byte: not a CSV file");
    if (csv_count(line, '"') % 2)
      return csv_complain(r, "a quote is not closed");
    if (r->fields == NULL ? !csv_read_header(r, line) : !csv_read_row(r, line))
      return false;
  }
  if (r->fields == NULL)
    return csv_complain(r, "the file is empty: it must begin with a line like "
                           "id,lower,upper,size");
  if (r->table->count == 0)
    return csv_complain(r, "there is no row after the first line");
  return csv_check_ids(r);
}

bool
cmd_table_parse(cmd_table *table, const char *path, char *text, size_t size,
                cmd_complaint *complaint)
{
  static const char bom[] = "\xef\xbb\xbf";
  /* A word and its NUL take at most what it and the byte after it take in the
   * file; there may be no byte after the last. */
  *table = (cmd_table){
      .path = path, .text = text, .words = cmd_allocate(size + 1, 1)};
  csv_reader r = {.table = table, .complaint = complaint, .word = table->words};
  const size_t skip = size >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
  const bool good = csv_read_lines(&r, (cmd_span){text + skip, size - skip});
  free(r.fields);
  free(r.shares);
  return good;
}

void
cmd_table_free(cmd_table *table)
{
  free(table->text);
  free(table->words);
  free(table->rows);
  free(table->buffers);
  free(table->hints);
  free(table->pools);
  free(table->gaps);
  free(table->shares);
}

int
cmd_table_read(cmd_table *table, const char *path)
{
  size_t size;
  cmd_complaint complaint;
  char *const text = cmd_read_file(path, &size);
  if (text == NULL)
    return CMD_FAILED;
  if (!cmd_table_parse(table, path, text, size, &complaint)) {
    fprintf(stderr, "%s:%zu: %s\n", path, complaint.line, complaint.text);
    cmd_table_free(table);
    return CMD_BAD_INPUT;
  }
  if (table->note[0])
    fprintf(stderr, "%s:1: note: %s\n", path, table->note);
  return CMD_OK;
}

/* ---- Writing ------------------------------------------------------------- */

static void
csv_write_row(FILE *to, const cmd_table *t, size_t row, cmd_span *fields,
              const char *offset, const char *pool)
{
  const size_t offset_field = t->field_of[CMD_COLUMN_OFFSET];
  const size_t pool_field = t->field_of[CMD_COLUMN_POOL];
  csv_split(t->rows[row].source, fields, t->field_count);
  for (size_t i = 0; i < t->field_count; i++) {
    if (i)
      fputc(',', to);
    if (i == offset_field)
      fputs(offset, to);
    else if (i == pool_field && pool)
      fputs(pool, to);
    else
      fwrite(fields[i].text, 1, fields[i].length, to);
  }
  if (offset_field == SIZE_MAX)
    fprintf(to, ",%s", offset);
  if (pool_field == SIZE_MAX && pool)
    fprintf(to, ",%s", pool);
  fputc('\n', to);
}

void
cmd_table_write(FILE *to, const cmd_table *t, const int64_t *offsets,
                const uint32_t *pools)
{
  cmd_span *const fields = cmd_allocate(t->field_count, sizeof *fields);
  fwrite(t->header.text, 1, t->header.length, to);
  if (t->field_of[CMD_COLUMN_OFFSET] == SIZE_MAX)
    fputs(",offset", to);
  if (t->field_of[CMD_COLUMN_POOL] == SIZE_MAX && pools)
    fputs(",pool", to);
  fputc('\n', to);
  for (size_t i = 0; i < t->count; i++) {
    char offset[24], pool[24] = "";
    snprintf(offset, sizeof offset, "%" PRId64, offsets[i]);
    if (pools)
      snprintf(pool, sizeof pool, "%" PRIu32, pools[i]);
    csv_write_row(to, t, i, fields, offset, pools ? pool : NULL);
  }
  free(fields);
}
