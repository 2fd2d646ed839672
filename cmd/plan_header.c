/* plan_header.c -- `tenure plan header`: a plan as constants
 *
 * The header needs nothing but <stddef.h>: offsets and sizes as macros, static
 * assertions, and an inline function a buffer that adds a constant.  With
 * PREFIX_DEBUG it also keeps a clock behind the memory, refuses buffers that
 * are not alive, and fills dead bytes with a pattern that it checks.
 *
 * Invariants
 *   [header.alive]  a debug build hands out a buffer only while it is alive.
 *   [header.dead]   a debug build finds every write to bytes that are nobody's
 *                   at the next change of the time.
 *   [header.free]   otherwise a buffer costs the addition of a constant.
 *
 * Tests  test/cmd/test_plan_header.py
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/report.h"

#include "plan.h"
#include "plan_header_text.h"

typedef struct headercmd_job {
  const cmd_table *table;
  const cmd_solution *solution;
  const cmd_piece *pieces;
  size_t piece_count;
  const char *prefix;
  char *upper;   // prefix in capitals
  char **names;  // of each row, as a part of a C name
} headercmd_job;

/* ---- Names ---------------------------------------------------------------- */

static char *
headercmd_copy(const char *text, int (*change)(int))
{
  char *const copy = cmd_allocate(strlen(text) + 1, 1);
  for (size_t i = 0; text[i]; i++)
    copy[i] = (char)change((unsigned char)text[i]);
  return copy;
}

/* c in a C name: what is not a letter or digit becomes `_`. */
static int
headercmd_name_char(int c)
{
  return c < 0x80 && isalnum(c) ? c : '_';
}

static bool
headercmd_is_name(const char *text)
{
  bool good = *text != '\0' && !isdigit((unsigned char)*text);
  for (; *text; text++)
    good = good && (*text == '_' || headercmd_name_char(*text) != '_');
  return good;
}

/* A type name such as `float`, `struct pixel` or `int32_t *`. */
static bool
headercmd_is_type(const char *text)
{
  for (; *text; text++)
    if (headercmd_name_char((unsigned char)*text) == '_' &&
        !strchr("_ *", *text))
      return false;
  return true;
}

typedef struct headercmd_name {
  const char *text;
  const cmd_row *row;
} headercmd_name;

static int
headercmd_compare_names(const void *a, const void *b)
{
  const headercmd_name *const x = a;
  const headercmd_name *const y = b;
  const int order = strcmp(x->text, y->text);
  return order ? order
               : (x->row->line > y->row->line) - (x->row->line < y->row->line);
}

static int
headercmd_bad_row(const cmd_table *t, const cmd_row *row, const char *format,
                  const char *text)
{
  fprintf(stderr, "%s:%zu: %s ", t->path, row->line, row->id);
  fprintf(stderr, format, text);
  fputc('\n', stderr);
  return CMD_BAD_INPUT;
}

/* Two ids may become one C name; names that begin with plan_ are ours. */
static int
headercmd_check_names(const headercmd_job *job)
{
  const cmd_table *const t = job->table;
  headercmd_name *const names = cmd_allocate(t->count, sizeof *names);
  for (size_t i = 0; i < t->count; i++)
    names[i] = (headercmd_name){job->names[i], &t->rows[i]};
  qsort(names, t->count, sizeof *names, headercmd_compare_names);
  int code = CMD_OK;
  for (size_t i = 0; i < t->count && code == CMD_OK; i++) {
    const cmd_row *const row = names[i].row;
    if (strncmp(names[i].text, "plan_", 5) == 0)
      code = headercmd_bad_row(t, row, "begins with plan_, which is%s",
                               " the header's own");
    else if (row->type && !headercmd_is_type(row->type))
      code = headercmd_bad_row(t, row,
                               "has the type '%s', which is no type "
                               "name",
                               row->type);
    else if (i && strcmp(names[i - 1].text, names[i].text) == 0)
      code = headercmd_bad_row(t, row, "becomes the same C name as %s",
                               names[i - 1].row->id);
  }
  free(names);
  return code;
}

/* ---- The parts of the header ----------------------------------------------- */

/* The alignment that the memory needs: the largest power of two that divides
 * one of the alignments. */
static int64_t
headercmd_base_align(const cmd_table *t)
{
  int64_t most = 1;
  for (size_t i = 0; i < t->count; i++) {
    const int64_t align = t->buffers[i].align & -t->buffers[i].align;
    most = align > most ? align : most;
  }
  return most;
}

static int64_t
headercmd_first_instant(const cmd_table *t)
{
  int64_t first = t->buffers[0].lower;
  for (size_t i = 1; i < t->count; i++)
    first = t->buffers[i].lower < first ? t->buffers[i].lower : first;
  return first;
}

/* Write text, with `@` for the prefix and `$` for it in capitals. */
static void
headercmd_write(FILE *to, const headercmd_job *job, const char *text)
{
  for (; *text; text++) {
    if (*text == '@')
      fputs(job->prefix, to);
    else if (*text == '$')
      fputs(job->upper, to);
    else
      fputc(*text, to);
  }
}

static void
headercmd_write_constants(FILE *to, const headercmd_job *job)
{
  const int64_t height = job->solution->result.height;
  const int64_t capacity = job->solution->problem.capacity;
  const char *const upper = job->upper;
  fprintf(to,
          "#define %s_SIZE %" PRId64 "\n#define %s_ALIGN %" PRId64
          "\n#define %s_PLAN_FIRST %" PRId64 "\n"
          "#ifndef %s_CAPACITY\n#define %s_CAPACITY %" PRId64 "\n#endif\n",
          upper, height, upper, headercmd_base_align(job->table), upper,
          headercmd_first_instant(job->table), upper, upper,
          capacity ? capacity : height);
  headercmd_write(to, job, headertext_asserts);
  for (size_t i = 0; i < job->table->count; i++)
    fprintf(to,
            "#define %s_%s_OFFSET %" PRId64 "\n#define %s_%s_SIZE %" PRId64
            "\n",
            upper, job->names[i], job->solution->result.offsets[i], upper,
            job->names[i], job->table->buffers[i].size);
  fputc('\n', to);
}

static void
headercmd_write_pieces(FILE *to, const headercmd_job *job)
{
  for (size_t i = 0; i < job->piece_count; i++) {
    const cmd_piece *const p = &job->pieces[i];
    const int64_t offset = job->solution->result.offsets[p->buffer];
    fprintf(to,
            "      {\"%s\", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
            "},\n",
            job->names[p->buffer], offset + p->low, offset + p->high, p->lower,
            p->upper);
  }
}

/* The alignment and size of buffer i suit its type. */
static void
headercmd_write_type_asserts(FILE *to, const headercmd_job *job, size_t i)
{
  const char *const upper = job->upper;
  const char *const name = job->names[i];
  const char *const type = job->table->rows[i].type;
  fprintf(to,
          "%s_PLAN_ASSERT(%s_%s_OFFSET %% %s_PLAN_ALIGNOF(%s) == 0 &&\n"
          "    %s_ALIGN %% %s_PLAN_ALIGNOF(%s) == 0,\n"
          "    \"%s is aligned for its type: else give its row an align\");\n",
          upper, upper, name, upper, type, upper, upper, type, name);
  fprintf(to,
          "%s_PLAN_ASSERT(%s_%s_SIZE %% sizeof(%s) == 0,\n"
          "    \"%s holds a whole number of its type\");\n",
          upper, upper, name, type, name);
}

static void
headercmd_write_accessors(FILE *to, const headercmd_job *job)
{
  for (size_t i = 0; i < job->table->count; i++) {
    const char *const name = job->names[i];
    const char *const given = job->table->rows[i].type;
    const char *const type = given ? given : "unsigned char";
    if (given)
      headercmd_write_type_asserts(to, job, i);
    fprintf(to,
            "static inline %s *\n%s_%s(void *memory)\n{\n"
            "  return (%s *)(void *)%s_PLAN_USE(memory, \"%s\", "
            "%s_%s_OFFSET);\n}\n\n",
            type, job->prefix, name, type, job->upper, name, job->upper, name);
  }
  fputs("#endif\n", to);
}

static void
headercmd_write_all(FILE *to, const void *argument)
{
  const headercmd_job *const job = argument;
  headercmd_write(to, job, headertext_head);
  headercmd_write_constants(to, job);
  headercmd_write(to, job, headertext_debug);
  headercmd_write_pieces(to, job);
  headercmd_write(to, job, headertext_runtime);
  headercmd_write_accessors(to, job);
}

/* ---- The command ------------------------------------------------------------ */

static int
headercmd_run(const cmd_table *t, const cmd_solution *s, const char *prefix,
              const char *output)
{
  headercmd_job job = {.table = t, .solution = s, .prefix = prefix};
  cmd_piece *const pieces = cmd_table_get_pieces(t, &job.piece_count);
  job.pieces = pieces;
  job.upper = headercmd_copy(prefix, toupper);
  job.names = cmd_allocate(t->count, sizeof *job.names);
  for (size_t i = 0; i < t->count; i++)
    job.names[i] = headercmd_copy(t->rows[i].id, headercmd_name_char);
  int code = headercmd_check_names(&job);
  if (code == CMD_OK)
    code = tni_file_write(output, headercmd_write_all, &job);
  for (size_t i = 0; i < t->count; i++)
    free(job.names[i]);
  free(job.names);
  free(job.upper);
  free(pieces);
  return code;
}

static int
headercmd_solve(const cmd_table *t, const cmd_solve_options *options,
                const char *prefix, const char *output)
{
  cmd_solution solution;
  int code = cmd_solve(t, options, &solution);
  if (code == CMD_FAILED || code == CMD_BAD_INPUT)
    return code;
  cmd_solution_report(stderr, t, &solution);
  if (code == CMD_OK)
    code = headercmd_run(t, &solution, prefix, output);
  cmd_solution_free(&solution);
  return code;
}

int
cmd_plan_header(int argc, char **argv)
{
  cmd_solve_options options = CMD_SOLVE_OPTIONS;
  const char *prefix = "plan", *output = "-";
  const cmd_option rows[] = {
      {'o', "output", CMD_TEXT, &output, "write the header to FILE"},
      {0, "prefix", CMD_TEXT, &prefix, "first part of every name: net"},
      CMD_SOLVE_OPTION_ROWS(options),
  };
  const cmd_usage usage = {
      "tenure plan header", "IN.csv",
      "Plan, and write the plan as a header for C11 and C++17.  Offsets that\n"
      "IN.csv has are kept.  Exit codes as `tenure plan solve`.",
      rows, sizeof rows / sizeof *rows};
  const char *path;
  const int parsed = cmd_parse(&usage, argc, argv, &path);
  if (parsed >= 0)
    return parsed;
  if (!headercmd_is_name(prefix))
    return cmd_fail("the prefix '%s' is no C name", prefix);
  cmd_table table;
  int code = cmd_table_read(&table, path);
  if (code != CMD_OK)
    return code;
  code = headercmd_solve(&table, &options, prefix, output);
  cmd_table_free(&table);
  return code;
}
