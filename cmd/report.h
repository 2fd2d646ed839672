/* report.h -- the subcommands that read a trace
 *
 * Tests  test/cmd/test_report_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_REPORT_H
#define TENURE_CMD_REPORT_H

int cmd_report(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_probe(int argc, char **argv);

/* Take the second word that is no option out of the arguments; NULL: there is
 * none. */
const char *cmd_take_second(int *argc, char **argv);

#endif
