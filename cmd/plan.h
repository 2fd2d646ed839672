/* plan.h -- what the subcommands of `tenure plan` share
 *
 * A table is a CSV file read into a problem for <tenure/plan.h>: one row a
 * buffer, the columns named by the first line, in any order.
 *
 *     id       id | buffer | buffer_id          text, unique
 *     lower    lower | start | begin            first instant alive
 *     upper    upper (exclusive) | end (inclusive: one is added, to the upper
 *              ends of gaps as well)
 *     size     bytes
 *     align    align | alignment                optional
 *     offset   -1 or empty: free                optional
 *     hint     -1 or empty: none                optional
 *     gaps     `2-8 10-12`; `2-8@1:17` keeps bytes 1 to 16   optional
 *     share    ids of rows that it may share in place with           optional
 *     type     a C type, for `tenure plan header`                    optional
 *     pool     number of a pool, for `tenure plan verify`            optional
 *
 * Other columns are kept, and named in a note.
 *
 * Invariants
 *   [csv.line]  every complaint names the line it is about.
 *   [csv.rows]  what is written is what was read, and the column offset.
 * Source    google/minimalloc's converter.cc: the columns and their aliases.
 * Design    doc/plan.md      Tests  test/cmd/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_PLAN_H
#define TENURE_CMD_PLAN_H

#include <tenure/plan.h>

#include "cmd.h"

typedef enum cmd_column {
  CMD_COLUMN_ID,
  CMD_COLUMN_LOWER,
  CMD_COLUMN_UPPER,
  CMD_COLUMN_SIZE,
  CMD_COLUMN_ALIGN,
  CMD_COLUMN_OFFSET,
  CMD_COLUMN_HINT,
  CMD_COLUMN_GAPS,
  CMD_COLUMN_SHARE,
  CMD_COLUMN_TYPE,
  CMD_COLUMN_POOL,
  CMD_COLUMNS,
} cmd_column;

/* A piece of the file's text. */
typedef struct cmd_span {
  const char *text;
  size_t length;
} cmd_span;

typedef struct cmd_row {
  const char *id;    // unquoted
  const char *type;  // NULL: none
  size_t line;       // in the file, from 1
  cmd_span source;   // the line as it was, without its end
} cmd_row;

typedef struct cmd_table {
  const char *path;
  char *text;   // the file
  char *words;  // ids and types, each ended by a NUL
  cmd_span header;
  size_t field_count;            // of every line
  size_t field_of[CMD_COLUMNS];  // SIZE_MAX: not there
  size_t count;
  cmd_row *rows;
  tn_plan_buffer *buffers;
  int64_t *hints;   // as tn_plan_options.previous; NULL: no such column
  uint32_t *pools;  // NULL: no such column
  tn_plan_gap *gaps;
  size_t gap_count;
  tn_plan_share *shares;
  size_t share_count;
  char note[160];  // a column that is not known; "" for none
} cmd_table;

typedef struct cmd_complaint {
  size_t line;
  char text[240];
} cmd_complaint;

/* Read a table from text of size bytes, which becomes the table's (malloc).
 *
 *   returns false with the complaint when a line is wrong; the table may be
 *           freed in any case
 */
bool cmd_table_parse(cmd_table *table, const char *path, char *text,
                     size_t size, cmd_complaint *complaint);
void cmd_table_free(cmd_table *table);

/* The same from a file; reports what is wrong.  returns an exit code. */
int cmd_table_read(cmd_table *table, const char *path);

/* Write the rows as they were with the column offset, and the column pool
 * when pools is not NULL.  Lines end in LF. */
void cmd_table_write(FILE *to, const cmd_table *t, const int64_t *offsets,
                     const uint32_t *pools);

/* [lower, upper): a time in which a buffer needs its bytes [low, high). */
typedef struct cmd_piece {
  size_t buffer;
  int64_t lower, upper;
  int64_t low, high;
} cmd_piece;

/* The lifetimes without their gaps, and what gaps keep, in the order of the
 * rows, each row's in the order of time.  The caller frees them. */
cmd_piece *cmd_table_get_pieces(const cmd_table *t, size_t *count);

/* ---- Solving ------------------------------------------------------------- */

/* What the command line says about how to solve. */
typedef struct cmd_solve_options {
  int64_t capacity;  // 0: as many as needed
  bool minimize;     // even when there is a capacity
  uint64_t time_ns;
  uint64_t nodes;
  uint64_t seed;
  uint64_t threads;
  cmd_texts pools;  // NAME:SIZE[:COST]
} cmd_solve_options;

#define CMD_SOLVE_OPTIONS                                                      \
  {                                                                            \
    .time_ns = UINT64_MAX                                                      \
  }

/* The rows of an option table for the fields of o. */
#define CMD_SOLVE_OPTION_ROWS(o)                                               \
  {'C', "capacity", CMD_BYTES, &(o).capacity,                                  \
   "must fit into SIZE (256K, 8M)"},                                           \
      {0, "minimize", CMD_FLAG, &(o).minimize,                                 \
       "with --capacity: go on to the lowest height"},                         \
      {0, "time", CMD_DURATION, &(o).time_ns,                                  \
       "stop after TIME (5s, 200ms, 2m; 0: never); 10s without --nodes"},      \
      {0, "nodes", CMD_COUNT, &(o).nodes,                                      \
       "stop after COUNT nodes: the same plan everywhere"},                    \
      {0, "seed", CMD_COUNT, &(o).seed, "seed of the search's orders"},        \
  {                                                                            \
    0, "threads", CMD_COUNT, &(o).threads,                                     \
        "search on so many threads (3 are of use): the same plan"              \
  }

/* A problem and its answer. */
typedef struct cmd_solution {
  tn_plan_problem problem;
  tn_plan_result result;
  tn_plan_pool pools[TN_PLAN_MAX_POOLS];
  char pool_names[TN_PLAN_MAX_POOLS][32];
  uint64_t ns;
} cmd_solution;

/* Fill s->problem from the table and what is given.  returns an exit code. */
int cmd_problem_init(cmd_solution *s, const cmd_table *t,
                     const cmd_solve_options *given);

/* Plan as the given options say, showing progress on a terminal; an interrupt
 * (SIGINT) stops the search, and what it has is the answer.  A plan is checked
 * by tn_plan_verify before this returns.
 *
 *   returns an exit code; CMD_FAILED and CMD_BAD_INPUT have been reported and
 *           leave no result
 */
int cmd_solve(const cmd_table *t, const cmd_solve_options *given,
              cmd_solution *s);
void cmd_solution_free(cmd_solution *s);

/* Print what came out in one line (two when infeasible) for people. */
void cmd_solution_report(FILE *to, const cmd_table *t, const cmd_solution *s);

/* ---- Subcommands --------------------------------------------------------- */

/* `tenure plan`, and its subcommands. */
int cmd_plan(int argc, char **argv);
int cmd_plan_solve(int argc, char **argv);
int cmd_plan_verify(int argc, char **argv);
int cmd_plan_header(int argc, char **argv);
int cmd_plan_bound(int argc, char **argv);

#endif
