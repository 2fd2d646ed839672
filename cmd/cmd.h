/* cmd.h -- what every subcommand of `tenure` shares
 *
 * Dispatch by name, options from a table, one-line errors, memory that ends
 * the program when there is none, and a provider over malloc for the library
 * calls that ask for one.  A subcommand is a function that takes its own
 * arguments and returns an exit code.
 *
 * Threads   the command has one.
 * Tests     test/cmd/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_H
#define TENURE_CMD_H

#include <stdio.h>

#include <tenure/base.h>
#include <tenure/provider.h>

#define CMD_VERSION "0.1.0"

/* Exit codes; doc/plan.md lists what each means to a caller. */
enum {
  CMD_OK = 0,
  CMD_FAILED = 1,      // wrong usage, or the machine: a file, memory
  CMD_INFEASIBLE = 2,  // proved: there is no answer
  CMD_UNKNOWN = 3,     // the budget ended before there was an answer
  CMD_BAD_INPUT = 4,   // a line of the input is wrong
};

typedef struct cmd_entry {
  const char *name;
  int (*run)(int argc, char **argv);  // argv[0] is the first argument
  const char *summary;
} cmd_entry;

/* Run the entry that argv[0] names.  `--help` and no argument list the
 * entries; an unknown name is one line with the nearest. */
int cmd_dispatch(const char *command, const cmd_entry *entries, size_t count,
                 int argc, char **argv);

typedef enum cmd_kind {
  CMD_FLAG,      // bool
  CMD_TEXT,      // const char *
  CMD_TEXTS,     // cmd_texts: may be given several times
  CMD_BYTES,     // int64_t: 4096, 256K, 8M, 1G
  CMD_COUNT,     // uint64_t
  CMD_DURATION,  // uint64_t nanoseconds: 5, 5s, 200ms, 2m
} cmd_kind;

typedef struct cmd_texts {
  const char *items[16];
  size_t count;
} cmd_texts;

typedef struct cmd_option {
  char letter;  // 0: none
  const char *name;
  cmd_kind kind;
  void *to;
  const char *help;
} cmd_option;

typedef struct cmd_usage {
  const char *command;  // "tenure plan solve"
  const char *operand;  // "IN.csv": there is exactly one
  const char *summary;
  const cmd_option *options;
  size_t count;
} cmd_usage;

/* Fill the options and *operand from the arguments.
 *
 *   returns -1 to go on; otherwise the exit code to leave with (--help was
 *           answered, or the usage was wrong and has been reported)
 */
int cmd_parse(const cmd_usage *usage, int argc, char **argv,
              const char **operand);
/* The same for a command of two operands; *second is NULL when there is one. */
int cmd_parse_two(const cmd_usage *usage, int argc, char **argv,
                  const char **operand, const char **second);

/* Which of count names is nearest to word by edit distance; NULL when none is
 * within a third of the word's length (at least 1). */
const char *cmd_nearest(const char *word, const char *const *names,
                        size_t count);

/* Read a size as CMD_BYTES does; false when text is none. */
bool cmd_parse_bytes(const char *text, int64_t *bytes);

/* Print `tenure: ` and the message as one line on standard error.
 *   returns CMD_FAILED, so that callers can return it */
int cmd_fail(const char *format, ...) TN_PRINTF(1, 2);

/* Memory; the program ends with one line when there is none. */
void *cmd_allocate(size_t count, size_t size);
void *cmd_reallocate(void *p, size_t count, size_t size);

/* A provider over malloc. */
tn_provider *cmd_get_provider(void);

/* Nanoseconds of a clock that never goes back. */
uint64_t cmd_clock_ns(void);

/* Read a whole file ("-": standard input) into memory that the caller frees.
 *   returns NULL after reporting what is wrong; otherwise size bytes and a NUL
 */
char *cmd_read_file(const char *path, size_t *size);

/* Write text as a JSON string, quotes included. */
void cmd_write_json_text(FILE *to, const char *text);

#endif
