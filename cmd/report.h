/* report.h -- the subcommands that read a trace
 *
 * Tests  test/cmd/test_report_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_REPORT_H
#define TENURE_CMD_REPORT_H

#include <stdbool.h>

struct tni_suppress;

int cmd_report(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_probe(int argc, char **argv);

#define CMD_SUPPRESS_HELP                                                      \
  "a file of globs, one a line: no leaks of such a function, module or file"

/* Read the patterns of --suppress (NULL: none, and *out is NULL).
 *   returns false after one line on standard error */
bool cmd_read_suppress(const char *path, struct tni_suppress **out);

#endif
